//! A scenario and small servers of `std::net` for the tests of the whole driver.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ringside_contract::{
    Arrivals, BlockTiming, Completion, LoadPlan, Measures, Operation, Outcome, ParamError, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, SocketOptions, Violation,
};

use crate::{DriveOptions, drive};

/// Bytes of a message: its number and its intended time.
pub(crate) const MESSAGE: usize = 16;

/// Sends numbered messages and expects each back, `padding` further bytes behind it.
pub(crate) struct Numbers {
    pub(crate) plan: LoadPlan,
    pub(crate) padding: u64,
    pub(crate) reconnect: bool,
}

const META: ScenarioMeta = ScenarioMeta {
    id: "test/numbers",
    question: "Does the driver count right?",
    operations: "messages",
    ranked_by: "throughput",
    parameters: &[],
};

impl Scenario for Numbers {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, _params: &Params) -> Result<LoadPlan, ParamError> {
        Ok(self.plan.clone())
    }

    fn session(&self, _params: &Params, _seed: u64, _connection: u32) -> Box<dyn Session> {
        Box::new(NumbersSession {
            padding: self.padding,
            reconnect: self.reconnect,
            waiting: None,
            expected: None,
        })
    }

    fn verify(&self, _params: &Params, _measures: &Measures) -> Result<(), Violation> {
        Ok(())
    }
}

struct NumbersSession {
    padding: u64,
    reconnect: bool,
    /// The message whose padding is still to come.
    waiting: Option<Completion>,
    expected: Option<u64>,
}

impl Session for NumbersSession {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.waiting = None;
        self.expected = None;
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            self.expected.get_or_insert(operation.sequence);
            out.extend_from_slice(&operation.sequence.to_le_bytes());
            out.extend_from_slice(&operation.intended.to_le_bytes());
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        done.extend(self.waiting.take());
        let mut consumed = 0;
        for message in input.chunks_exact(MESSAGE) {
            consumed += MESSAGE;
            let sequence = u64::from_le_bytes(message[..8].try_into().unwrap());
            let intended = u64::from_le_bytes(message[8..].try_into().unwrap());
            let right = self.expected == Some(sequence);
            self.expected = self.expected.map(|expected| expected + 1);
            let outcome = if right { Outcome::Ok } else { Outcome::Corrupt };
            let completion = Completion {
                origin: None,
                sequence,
                intended,
                outcome,
            };
            if self.padding > 0 {
                self.waiting = Some(completion);
                return Ok(Received {
                    consumed,
                    discard: self.padding,
                    reconnect: false,
                });
            }
            done.push(completion);
            if self.reconnect {
                return Ok(Received {
                    consumed,
                    discard: 0,
                    reconnect: true,
                });
            }
        }
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}

/// A server with a thread for each connection, each of which runs `serve` until it returns.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) accepted: Arc<AtomicU64>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, stop) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counter, stopped, serve) = (Arc::clone(&accepted), Arc::clone(&stop), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                counter.fetch_add(1, Ordering::Relaxed);
                let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
                stream.set_nodelay(true).unwrap();
                thread::spawn(move || serve(stream));
            }
        });
        Self {
            address,
            accepted,
            stop,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The accepting thread looks at the flag when somebody connects.
        let _ = TcpStream::connect(self.address);
    }
}

/// Sends everything back, after `change` had its way with it; ends when the peer does.
pub(crate) fn echo(mut change: impl FnMut(&mut [u8])) -> impl FnMut(TcpStream) {
    move |mut stream| {
        let mut message = [0; MESSAGE];
        while stream.read_exact(&mut message).is_ok() {
            change(&mut message);
            if stream.write_all(&message).is_err() {
                return;
            }
        }
    }
}

pub(crate) fn closed(connections: u32, window: u32) -> LoadPlan {
    LoadPlan {
        connections,
        connections_min: 1,
        active: connections,
        connecting_max: 16,
        arrivals: Arrivals::Closed { window },
        sockets: SocketOptions::default(),
        timeout: Duration::from_secs(20),
        read_buffer: 64 << 10,
        operations_min: 0,
        together: false,
        stalled: 0,
        deliveries: 1,
    }
}

pub(crate) fn open(connections: u32, rate_per_s: f64) -> LoadPlan {
    let arrivals = Arrivals::Open {
        rate_per_s,
        poisson: false,
        window: 1,
    };
    LoadPlan {
        arrivals,
        ..closed(connections, 1)
    }
}

pub(crate) fn options(server: &Server) -> DriveOptions {
    DriveOptions {
        targets: vec![server.address],
        seed: 1,
        timing: BlockTiming {
            warmup_ms: 20,
            measure_ms: 150,
            count_ms: 0,
        },
        cpus: Vec::new(),
        watch: Some(std::process::id()),
        congestion: None,
        allow_remote: false,
        server_cores: 64.0,
    }
}

pub(crate) fn numbers(plan: LoadPlan) -> Numbers {
    Numbers {
        plan,
        padding: 0,
        reconnect: false,
    }
}

pub(crate) fn params() -> Params {
    META.resolve(&META.id.parse().unwrap()).unwrap()
}

pub(crate) fn load(scenario: &Numbers, options: &DriveOptions) -> Measures {
    drive(scenario, &params(), options).unwrap()
}
