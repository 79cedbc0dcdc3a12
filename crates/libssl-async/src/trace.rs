//! `tracing` events, behind the feature of that name.

/// Emits an event, `event!(level, fields..., "message")`; nothing without the feature.
macro_rules! event {
    ($level:ident, $($event:tt)+) => {{
        #[cfg(feature = "tracing")]
        tracing::$level!(target: "libssl_async", $($event)+);
        #[cfg(not(feature = "tracing"))]
        if false {
            // The same fields are used.
            $crate::trace::unused!($($event)+);
        }
    }};
}

/// Mentions the values of an event's fields.
#[cfg(not(feature = "tracing"))]
macro_rules! unused {
    ($($name:ident = $value:expr,)* $message:literal) => {
        $(let _ = $value;)*
    };
}

pub(crate) use event;
#[cfg(not(feature = "tracing"))]
pub(crate) use unused;
