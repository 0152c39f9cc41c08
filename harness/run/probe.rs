//! Whether an HTTP server answers at all.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// True when a GET of `path` gets an answer of any status within `limit`.
pub(crate) fn answers(address: SocketAddr, path: &str, limit: Duration) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        // At once: a server that answers the first piece of a head and closes would reset the rest.
        stream.write_all(request.as_bytes())?;
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        Ok(head == *b"HTTP/")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn check(reply: &'static [u8], expected: bool) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(reply).unwrap();
        });
        assert_eq!(answers(address, "/", Duration::from_secs(10)), expected);
        server.join().unwrap();
    }

    #[test]
    fn any_status_is_an_answer_and_other_bytes_are_none() {
        check(b"HTTP/1.1 404 Not Found\r\n\r\n", true);
        check(b"SSH-2.0", false);
        check(b"", false);
    }
}
