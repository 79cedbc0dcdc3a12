//! Passphrases and PINs: libcrypto asks for them in the middle of a call, and whoever answers may take his time.

use std::ffi::{CStr, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, mpsc};

use libssl_async_sys as sys;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// A PIN or passphrase, which is wiped when it is dropped.
pub type Secret = Zeroizing<String>;

type Question = (String, mpsc::Sender<Option<Secret>>);

/// Has `call` made on a thread that may block; whenever it asks for a secret, `pin` is asked, with the words of the one
/// who wants it. `None`, and dropping the future, cancel the call.
pub(crate) async fn asking<T, R>(
    mut pin: impl FnMut(String) -> R,
    call: impl FnOnce(&Prompt) -> T + Send + 'static,
) -> Option<T>
where
    T: Send + 'static,
    R: Future<Output = Option<Secret>>,
{
    let (questions, mut asked) = unbounded_channel();
    let calling = spawn_blocking(move || call(&Prompt { questions }));
    // The end of the call drops its end of the channel.
    while let Some((question, answer)) = asked.recv().await {
        let _ = answer.send(pin(question).await);
    }
    // A panic has been reported.
    calling.await.ok()
}

/// What a call that may ask for a secret is given.
pub(crate) struct Prompt {
    questions: UnboundedSender<Question>,
}

impl Prompt {
    /// The method and its data, for the duration of a call on this thread.
    pub(crate) fn method(&self) -> (*mut sys::UI_METHOD, *mut c_void) {
        (method(), std::ptr::from_ref(self).cast_mut().cast())
    }

    fn ask(&self, question: &CStr) -> Option<Secret> {
        let (sender, answer) = mpsc::channel();
        self.questions.send((question.to_string_lossy().into_owned(), sender)).ok()?;
        answer.recv().ok().flatten()
    }
}

/// The one method of this crate, which lives as long as the process.
fn method() -> *mut sys::UI_METHOD {
    struct Method(*mut sys::UI_METHOD);
    // SAFETY: it is not changed after it was made.
    unsafe impl Send for Method {}
    // SAFETY: as above.
    unsafe impl Sync for Method {}
    static METHOD: OnceLock<Method> = OnceLock::new();
    // SAFETY: the name is a string; a null method, if there is no memory, asks on the terminal, if anywhere.
    let make = || unsafe {
        let method = sys::UI_create_method(c"libssl-async".as_ptr());
        if !method.is_null() {
            sys::UI_method_set_reader(method, Some(read));
        }
        Method(method)
    };
    METHOD.get_or_init(make).0
}

/// `UIT_PROMPT` and `UIT_VERIFY`: what wants an answer.
const QUESTIONS: [sys::UI_string_types; 2] = [1, 2];

unsafe extern "C" fn read(ui: *mut sys::UI, string: *mut sys::UI_STRING) -> c_int {
    const CANCELLED: c_int = -1;
    // SAFETY: libcrypto passes a dialogue and a string of it; the data is the prompt of the call that is being made.
    unsafe {
        if !QUESTIONS.contains(&sys::UI_get_string_type(string)) {
            return 1;
        }
        let prompt = &*sys::UI_get0_user_data(ui).cast::<Prompt>();
        let question = sys::UI_get0_output_string(string);
        let question = if question.is_null() { c"" } else { CStr::from_ptr(question) };
        let answer = catch_unwind(AssertUnwindSafe(|| prompt.ask(question))).ok().flatten();
        let Some(answer) = answer else { return CANCELLED };
        let mut string_of_c = Zeroizing::new(Vec::with_capacity(answer.len() + 1));
        string_of_c.extend_from_slice(answer.as_bytes());
        string_of_c.push(0);
        let Ok(answer) = CStr::from_bytes_with_nul(&string_of_c) else { return 0 };
        if sys::UI_set_result(ui, string, answer.as_ptr()) == 0 { 1 } else { 0 }
    }
}
