//! Control commands.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::ptr;

use libssl_async_sys as sys;
use openssl::error::ErrorStack;

use super::EngineError;
use super::handle::Handle;

/// A control command that an engine lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// Its name.
    pub name: String,
    /// What it does, in the engine's words; often empty.
    pub description: String,
    /// What it takes.
    pub input: CommandInput,
    number: c_int,
}

/// What a control command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandInput {
    /// Something that cannot be given as text.
    Internal,
    /// Nothing.
    Nothing,
    /// A number, decimal.
    Number,
    /// Text.
    Text,
}

impl CommandInput {
    fn from_flags(flags: c_uint) -> Self {
        match flags {
            _ if flags & sys::ENGINE_CMD_FLAG_INTERNAL != 0 => Self::Internal,
            _ if flags & sys::ENGINE_CMD_FLAG_STRING != 0 => Self::Text,
            _ if flags & sys::ENGINE_CMD_FLAG_NUMERIC != 0 => Self::Number,
            _ if flags & sys::ENGINE_CMD_FLAG_NO_INPUT != 0 => Self::Nothing,
            _ => Self::Internal,
        }
    }

    /// Says what it takes instead, if not this.
    fn check(self, value: Option<&str>) -> Result<(), &'static str> {
        let (takes, fits) = match self {
            Self::Internal => ("what cannot be given as text", false),
            Self::Nothing => ("no value", value.is_none()),
            Self::Number => ("a number", value.is_some_and(|value| value.parse::<c_long>().is_ok())),
            Self::Text => ("text", value.is_some()),
        };
        if fits { Ok(()) } else { Err(takes) }
    }
}

impl Handle {
    /// All commands that the engine lists.
    pub(super) fn commands(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        let mut number = self.ask(sys::ENGINE_CTRL_GET_FIRST_CMD_TYPE, 0, ptr::null_mut());
        while number > 0 {
            commands.push(self.command(number));
            number = self.ask(sys::ENGINE_CTRL_GET_NEXT_CMD_TYPE, number.into(), ptr::null_mut());
        }
        // The end of the list is an error to libcrypto.
        let _ = ErrorStack::get();
        commands
    }

    fn command(&self, number: c_int) -> Command {
        let text = |length, text| {
            let length = usize::try_from(self.ask(length, number.into(), ptr::null_mut())).unwrap_or(0);
            let mut buffer = vec![0 as c_char; length + 1];
            self.ask(text, number.into(), buffer.as_mut_ptr().cast());
            // SAFETY: the engine has written a string of that length, or nothing.
            unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned()
        };
        let flags = self.ask(sys::ENGINE_CTRL_GET_CMD_FLAGS, number.into(), ptr::null_mut());
        Command {
            name: text(sys::ENGINE_CTRL_GET_NAME_LEN_FROM_CMD, sys::ENGINE_CTRL_GET_NAME_FROM_CMD),
            description: text(sys::ENGINE_CTRL_GET_DESC_LEN_FROM_CMD, sys::ENGINE_CTRL_GET_DESC_FROM_CMD),
            input: CommandInput::from_flags(c_uint::try_from(flags).unwrap_or(0)),
            number,
        }
    }

    /// The command of this name.
    pub(super) fn find(&self, name: &str) -> Result<Command, EngineError> {
        let commands = self.commands();
        let known = commands.iter().map(|command| command.name.clone()).collect();
        let found = commands.into_iter().find(|command| command.name == name);
        found.ok_or_else(|| EngineError::CommandUnknown { engine: self.id(), command: name.to_owned(), known })
    }

    /// Sends a command as text.
    pub(super) fn control(&self, name: &str, value: Option<&str>) -> Result<(), EngineError> {
        let command = self.find(name)?;
        let wrong = |takes| EngineError::CommandValue { engine: self.id(), command: name.to_owned(), takes };
        command.input.check(value).map_err(wrong)?;
        let value = value.map(CString::new).transpose().map_err(|_| wrong("text without NUL"))?;
        let value = value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
        let name = CString::new(name).expect("the engine lists it");
        // SAFETY: the engine is valid, name and value are strings, and the value is of the kind that the engine asks for.
        let done = unsafe { sys::ENGINE_ctrl_cmd_string(self.engine, name.as_ptr(), value, 0) };
        self.refused(done, &command.name)
    }

    /// Sends a command by its number.
    ///
    /// # Safety
    /// `pointer` is what the engine expects.
    pub(super) unsafe fn send(
        &self,
        command: &Command,
        number: c_long,
        pointer: *mut c_void,
    ) -> Result<(), EngineError> {
        // SAFETY: the engine is valid; the rest is the caller's.
        let done = unsafe { sys::ENGINE_ctrl(self.engine, command.number, number, pointer, None) };
        self.refused(done, &command.name)
    }

    fn refused(&self, done: c_int, command: &str) -> Result<(), EngineError> {
        if done > 0 {
            return Ok(());
        }
        let (engine, command) = (self.id(), command.to_owned());
        Err(EngineError::CommandRefused { engine, command, stack: ErrorStack::get() })
    }

    /// Asks about commands.
    fn ask(&self, what: c_int, number: c_long, pointer: *mut c_void) -> c_int {
        // SAFETY: the engine is valid; the pointer is null, or leads to as many bytes as the engine has said.
        unsafe { sys::ENGINE_ctrl(self.engine, what, number, pointer, None) }
    }
}

#[cfg(all(test, not(model)))]
mod tests {
    use super::*;

    #[test]
    fn values_fit_the_flags() {
        let number = CommandInput::from_flags(sys::ENGINE_CMD_FLAG_NUMERIC);
        for fits in ["0", "-1", "12"] {
            assert_eq!(number.check(Some(fits)), Ok(()), "{fits}");
        }
        for wrong in ["", "-", "x", "1k", "0x10", "99999999999999999999", "--1"] {
            assert_eq!(number.check(Some(wrong)), Err("a number"), "{wrong}");
        }
        assert_eq!(number.check(None), Err("a number"));
        let nothing = CommandInput::from_flags(sys::ENGINE_CMD_FLAG_NO_INPUT);
        assert_eq!((nothing.check(None), nothing.check(Some("1"))), (Ok(()), Err("no value")));
        let text = CommandInput::from_flags(sys::ENGINE_CMD_FLAG_STRING);
        assert_eq!((text.check(Some("")), text.check(None)), (Ok(()), Err("text")));
        let internal = CommandInput::from_flags(sys::ENGINE_CMD_FLAG_INTERNAL);
        assert!(internal.check(None).is_err() && internal.check(Some("1")).is_err());
    }
}
