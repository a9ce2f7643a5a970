//! Ctrl-C as a flag, for work that would rather end at a good place. It is here because a handler of signals needs
//! `unsafe`, which is confined to this crate.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised by the first interrupt of a watch.
static RAISED: AtomicBool = AtomicBool::new(false);

/// While it lives, a first Ctrl-C raises a flag and does nothing else, and a second ends the process as ever. Where there
/// are no signals the flag is never raised.
#[derive(Debug)]
pub struct InterruptWatch(PhantomData<()>);

/// Begins to watch for Ctrl-C. One watch at a time: a later one takes the place of the earlier.
pub fn watch_interrupts() -> InterruptWatch {
    RAISED.store(false, Ordering::Relaxed);
    #[cfg(unix)]
    unix::set(unix::Action::Raise);
    InterruptWatch(PhantomData)
}

impl InterruptWatch {
    /// The flag.
    pub fn flag(&self) -> &'static AtomicBool {
        &RAISED
    }

    /// Whether there was an interrupt.
    pub fn raised(&self) -> bool {
        RAISED.load(Ordering::Relaxed)
    }
}

impl Drop for InterruptWatch {
    fn drop(&mut self) {
        #[cfg(unix)]
        unix::set(unix::Action::End);
    }
}

#[cfg(unix)]
mod unix {
    use std::ffi::c_int;
    use std::sync::atomic::Ordering;

    /// The number of SIGINT and the value of `SIG_DFL` on every Unix.
    const INTERRUPT: c_int = 2;
    const DEFAULT: usize = 0;

    unsafe extern "C" {
        /// The C library's: the handler of a signal from now on, a function or one of two small numbers.
        fn signal(number: c_int, handler: usize) -> usize;
    }

    /// What an interrupt does.
    #[derive(Clone, Copy)]
    pub(super) enum Action {
        /// Raises the flag.
        Raise,
        /// Ends the process.
        End,
    }

    pub(super) fn set(action: Action) {
        let handler = match action {
            Action::Raise => on_interrupt as extern "C" fn(c_int) as usize,
            Action::End => DEFAULT,
        };
        // SAFETY: the declaration is that of C's `signal` with its pointer as a number of the same width; the handler
        // takes one int, returns nothing, and calls only what POSIX allows in a handler.
        unsafe { signal(INTERRUPT, handler) };
    }

    extern "C" fn on_interrupt(_: c_int) {
        // A store to an atomic, and `signal`, are both among what a handler may do.
        super::RAISED.store(true, Ordering::Relaxed);
        set(Action::End);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    unsafe extern "C" {
        fn raise(number: std::ffi::c_int) -> std::ffi::c_int;
    }

    #[test]
    fn an_interrupt_raises_the_flag_and_the_process_lives() {
        let watch = watch_interrupts();
        assert!(!watch.raised());
        // SAFETY: the signal is handled on this thread before the call returns.
        unsafe { raise(2) };
        assert!(watch.raised() && watch.flag().load(Ordering::Relaxed));
        let watch = watch_interrupts();
        assert!(!watch.raised());
    }
}
