//! Who is woken by the stop signal sees it raised: tried by loom in every order (`just loom`).

use super::*;

/// Seen to fail with a descriptor that is raised first.
#[test]
fn who_is_woken_by_the_stop_signal_sees_it_raised() {
    loom::model(|| {
        let stop = Arc::new(Stop::new().unwrap());
        let raising = Arc::clone(&stop);
        let raising = loom::thread::spawn(move || raising.raise());
        stop.flag.wait_for_level();
        assert!(stop.is_raised());
        raising.join().unwrap();
    });
}
