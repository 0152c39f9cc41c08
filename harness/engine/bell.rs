//! How a connection is called that has a task of its own on an async runtime.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use crate::sync::{AtomicBool, Mutex};

/// Rung from any thread, heard by one task.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes the task that listens, or the next one that does.
    pub(crate) fn ring(&self) {
        // Release: what the caller left with the core is seen by the task that hears the bell.
        if self.rung.swap(true, Ordering::Release) {
            return;
        }
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }

    /// True when it was rung since it was last heard; else the task is woken when it is.
    pub(crate) fn is_heard(&self, context: &Context<'_>) -> bool {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *task {
            Some(task) => task.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        // Under the lock, so that no ring falls between the look and the waker.
        // Acquire: pairs with the release of `ring`.
        self.rung.swap(false, Ordering::Acquire)
    }
}

#[cfg(all(test, ringside_loom))]
mod models;
#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_ring_is_heard_once_and_wakes_who_listened_before() {
        let (bell, count) = (Bell::default(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let context = Context::from_waker(&waker);
        bell.ring();
        assert!(bell.is_heard(&context) && !bell.is_heard(&context));
        bell.ring();
        bell.ring();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(bell.is_heard(&context));
    }
}
