//! What every engine is started with.

use ringside_contract::{ServeOptions, StartError};

use crate::BodyMode;

/// How an engine is to be started; settings that only one engine has are an argument of their own.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Address, workers, processors, congestion control.
    pub serve: ServeOptions,
    /// How the bytes of files reach the socket.
    pub body: BodyMode,
}

impl EngineOptions {
    /// Takes the body mode from the axis `body`; a family without that axis gets `memory`.
    ///
    /// # Errors
    /// A value of `body` that names no mode, or no worker at all.
    pub fn new(serve: &ServeOptions) -> Result<Self, StartError> {
        if serve.workers == 0 {
            return Err(StartError::Option {
                option: "workers".to_owned(),
                because: "0: a server needs at least one".to_owned(),
            });
        }
        let body = match serve.axes.value("body") {
            None => BodyMode::Memory,
            Some(name) => name.parse().map_err(|because| StartError::Option {
                option: "body".to_owned(),
                because,
            })?,
        };
        Ok(Self {
            serve: serve.clone(),
            body,
        })
    }

    /// The processor for this worker: each in turn from the list, or `None` where the list is empty.
    pub fn cpu(&self, worker: usize) -> Option<usize> {
        let cpus = &self.serve.cpus;
        if cpus.is_empty() {
            None
        } else {
            Some(cpus[worker % cpus.len()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringside_contract::Settings;

    fn serve(axes: &[(&str, &str)], cpus: &[usize]) -> ServeOptions {
        let mut settings = Settings::default();
        for (name, value) in axes {
            settings.set(name, value);
        }
        ServeOptions {
            workers: 1,
            cpus: cpus.to_vec(),
            ..ServeOptions::local(settings)
        }
    }

    #[test]
    fn body_comes_from_the_axis_and_bad_values_are_named() {
        let body = |axes| EngineOptions::new(&serve(axes, &[])).map(|options| options.body);
        assert_eq!(body(&[]).unwrap(), BodyMode::Memory);
        assert_eq!(
            body(&[("body", "copy_8k")]).unwrap(),
            BodyMode::Copy { buffer: 8192 }
        );
        assert!(
            body(&[("body", "telepathy")])
                .unwrap_err()
                .to_string()
                .contains("telepathy")
        );
    }

    #[test]
    fn a_server_without_a_worker_is_refused() {
        let none = ServeOptions {
            workers: 0,
            ..serve(&[], &[])
        };
        let message = EngineOptions::new(&none).unwrap_err().to_string();
        assert!(message.contains("workers"), "{message}");
    }

    #[test]
    fn processors_are_given_in_turn() {
        let options = EngineOptions::new(&serve(&[], &[3, 5])).unwrap();
        assert_eq!(
            [0, 1, 2].map(|worker| options.cpu(worker)),
            [Some(3), Some(5), Some(3)]
        );
        assert_eq!(EngineOptions::new(&serve(&[], &[])).unwrap().cpu(0), None);
    }
}
