use super::*;
use crate::service::Stop;
use crate::{Progress, Step};
use ringside_contract::{ServeOptions, Settings};
use std::fs::File;
use std::io::Write;
use std::net::TcpStream;

struct Silent;

impl Protocol for Silent {
    type Connection = ();

    fn open(&self, _: Millis) {}

    fn receive(&self, (): &mut (), input: &[u8], _: Millis, _: &mut Vec<u8>) -> Progress {
        let (consumed, step) = (input.len(), Step::Read);
        Progress { consumed, step }
    }
}

fn event_loop() -> EventLoop<Silent> {
    let options = ServeOptions {
        workers: 1,
        ..ServeOptions::local(Settings::default())
    };
    let listener = Listener::open(options.listen, Listening::default(), &options).unwrap();
    let stop = Arc::new(Stop::new().unwrap());
    let loops = Loops::new(Silent, 1, BodyMode::Memory, &stop).unwrap();
    EventLoop::new(&loops, Arc::new(Silent), Arc::new(listener), 0).unwrap()
}

#[test]
fn a_connection_that_cannot_be_watched_is_kept_and_nothing_is_accepted_meanwhile() {
    let mut event_loop = event_loop();
    // epoll takes no plain file; a socket it refuses only when its memory is used up.
    let unwatchable = File::open("/proc/self/stat").unwrap();
    event_loop.open(unwatchable.into());
    assert_eq!((event_loop.slots.len(), event_loop.unwatched.len()), (1, 1));
    event_loop.pause_accepting().unwrap();
    event_loop.resume_accepting().unwrap();
    assert!(!event_loop.accepting && event_loop.unwatched.len() == 1);
    assert_eq!(event_loop.space.tally.closed, 0);
}

#[test]
fn what_came_before_a_connection_could_be_watched_is_reported() {
    let mut event_loop = event_loop();
    let mut client = TcpStream::connect(event_loop.listener.address()).unwrap();
    client.write_all(b"early").unwrap();
    let socket = socket::accept(&*event_loop.listener, false).unwrap();
    let connection = Connection::new(socket, &Silent, &mut event_loop.space);
    let key = event_loop.slots.insert(connection);
    event_loop.unwatched.push(key);
    event_loop.pause_accepting().unwrap();
    event_loop.resume_accepting().unwrap();
    assert!(event_loop.accepting && event_loop.unwatched.is_empty());
    let mut events = Events::with_capacity(4);
    let patience = Some(Duration::from_secs(20));
    event_loop.poller.wait(&mut events, patience).unwrap();
    assert_eq!((events.len(), events.event(0).0), (1, key));
}
