//! A broker behind an engine: made from the axes, and asked at the end for what the engine cannot count.

use std::sync::Arc;

use ringside_contract::{Counters, Endpoint, ServeOptions, Service, StartError, StopError};

use crate::broker::Broker;
use crate::core::Mqtt;
use crate::settings::BrokerSettings;

/// Starts a broker with the axes of `options` on the engine that `start` starts.
///
/// # Errors
/// A value that an axis does not have, or what `start` gives.
pub(crate) fn served(
    options: &ServeOptions,
    start: impl FnOnce(Mqtt) -> Result<Box<dyn Service>, StartError>,
) -> Result<Box<dyn Service>, StartError> {
    let mqtt = Mqtt::open(
        &BrokerSettings::new(&options.axes)?,
        options.state.as_deref(),
    )?;
    let broker = Arc::clone(mqtt.broker());
    let service = start(mqtt)?;
    Ok(Box::new(Served { service, broker }))
}

struct Served {
    service: Box<dyn Service>,
    broker: Arc<Broker>,
}

impl Service for Served {
    fn endpoint(&self) -> &Endpoint {
        self.service.endpoint()
    }

    fn stop(self: Box<Self>) -> Result<Counters, StopError> {
        // Before its connections end, and their sessions with them.
        let own = self.broker.counters();
        let mut counters = self.service.stop()?;
        counters.extend(own);
        Ok(counters)
    }
}
