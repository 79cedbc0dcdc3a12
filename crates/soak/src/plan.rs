//! What is to happen to one pair of handshakes, drawn at random.

use std::time::Duration;

use fastrand::Rng;

/// What is to happen to a client and a server.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) tls12: bool,
    /// The client has a certificate, whose key is remote too.
    pub(crate) mutual: bool,
    /// Remote keys are a handler in place of a future, which has neither limit nor timeout.
    pub(crate) handler: bool,
    pub(crate) signer: Signer,
    pub(crate) source: Option<Source>,
    pub(crate) cut: Option<Cut>,
    /// What the transport of one side does, and after how many transfers.
    pub(crate) fault: Option<(Side, u32, Fault)>,
    /// The client's end of the connection is reset, not closed.
    pub(crate) reset: bool,
    pub(crate) seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// How a remote key answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer {
    AtOnce,
    Later(Duration),
    Never,
    Fails,
    /// Drops the request, or panics where that is all it can do.
    Loses,
}

/// What a source does that is not ours, on the fibre of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Completes before it pauses.
    Early,
    Later(Duration),
    /// Is busy so many times, and completes then.
    Busy(u32),
    /// Adds a descriptor, and removes it or leaves that to libcrypto.
    Descriptor {
        removed: bool,
    },
    /// Cannot take the operation.
    Error,
}

/// Which futures are dropped, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) client: bool,
    pub(crate) server: bool,
    pub(crate) moment: Moment,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// At the poll with this number; 0 drops the future unpolled.
    Poll(u32),
    /// As soon as the transport of that side has been used so often.
    Transfer(Side, u32),
    /// As soon as a source has taken an operation.
    Asked,
    /// As soon as a source is about to complete its operation.
    Answered,
    /// At some time.
    After(Duration),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Fails.
    Error,
    /// Ends.
    End,
    /// Ends its output, and goes on with its input.
    HalfClose,
}

impl Plan {
    pub(crate) fn draw(dice: &mut Rng) -> Self {
        // One in twelve is undisturbed.
        let (cut, fault) = match dice.u32(..12) {
            0 => (None, None),
            1..=7 => (Some(Cut::draw(dice)), None),
            8..=9 => (None, Some(fault(dice))),
            _ => (Some(Cut::draw(dice)), Some(fault(dice))),
        };
        let disturbed = cut.is_some() || fault.is_some();
        Self {
            tls12: dice.u32(..3) == 0,
            mutual: dice.u32(..3) == 0,
            handler: dice.bool() || !disturbed,
            signer: Signer::draw(dice, disturbed),
            source: (dice.u32(..3) == 0).then(|| Source::draw(dice, disturbed)),
            cut,
            fault,
            reset: disturbed && dice.bool(),
            seed: dice.u64(..),
        }
    }

    /// Whether both handshakes have to succeed.
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.cut.is_none() && self.fault.is_none()
    }
}

impl Signer {
    fn draw(dice: &mut Rng, disturbed: bool) -> Self {
        match dice.u32(..if disturbed { 12 } else { 6 }) {
            0..=1 => Self::AtOnce,
            2..=5 => Self::Later(moment(dice)),
            6..=9 => Self::Never,
            10 => Self::Fails,
            _ => Self::Loses,
        }
    }
}

impl Source {
    fn draw(dice: &mut Rng, disturbed: bool) -> Self {
        match dice.u32(..if disturbed { 9 } else { 8 }) {
            0..=1 => Self::Early,
            2..=5 => Self::Later(moment(dice)),
            6 => Self::Busy(dice.u32(1..4)),
            7 => Self::Descriptor { removed: dice.bool() },
            _ => Self::Error,
        }
    }
}

impl Cut {
    fn draw(dice: &mut Rng) -> Self {
        let moment = match dice.u32(..10) {
            0 => Moment::Poll(dice.u32(..3)),
            1..=3 => Moment::Transfer(if dice.bool() { Side::Client } else { Side::Server }, dice.u32(1..10)),
            4..=5 => Moment::Asked,
            6 => Moment::Answered,
            _ => Moment::After(moment(dice)),
        };
        let (client, server) = match dice.u32(..4) {
            0 => (true, false),
            1..=2 => (false, true),
            _ => (true, true),
        };
        Self { client, server, moment }
    }
}

fn fault(dice: &mut Rng) -> (Side, u32, Fault) {
    let side = if dice.bool() { Side::Client } else { Side::Server };
    (side, dice.u32(1..10), [Fault::Error, Fault::End, Fault::HalfClose][dice.usize(..3)])
}

/// Some time in which a handshake is over or not.
fn moment(dice: &mut Rng) -> Duration {
    Duration::from_micros(dice.u64(..3000))
}
