//! The scenarios: one question each, asked the same way of every implementation of its family.
//!
//! A scenario knows no implementation, no socket and no clock. To add one: a file, its `mod` line in
//! its family, and its line in [`all`].

mod affinity;
mod backends;
mod build;
mod bytes;
mod codec;
mod counters;
mod echo;
mod events;
mod hash;
mod http;
mod idioms;
mod load;
mod log;
mod map;
mod mqtt;
mod numa;
mod pool;
mod rate_limit;
mod ring;
mod workers;

#[cfg(test)]
mod tests;

use ringside_contract::Scenario;

/// Every scenario, families together, in the order of the report.
pub fn all() -> &'static [&'static dyn Scenario] {
    &[
        &echo::small::Small,
        &echo::large::Large,
        &echo::pipelined::Pipelined,
        &http::small::Small,
        &http::medium::Medium,
        &http::large::Large,
        &http::connections::Connections,
        &http::slow_reader::SlowReader,
        &http::short::Short,
        &affinity::lookup::Lookup,
        &backends::pick::Pick,
        &build::codegen::Codegen,
        &codec::log_entry::LogEntry,
        &counters::uncontended::UNCONTENDED,
        &counters::contended::CONTENDED,
        &events::fan::Fan,
        &hash::throughput::THROUGHPUT,
        &hash::lookup::LOOKUP,
        &idioms::pass::Pass,
        &idioms::escape::Escape,
        &idioms::fill::Fill,
        &idioms::share::Share,
        &idioms::sum::Sum,
        &log::append::Append,
        &map::read::READ,
        &map::write::WRITE,
        &map::mixed::MIXED,
        &mqtt::pairs::Pairs,
        &mqtt::fan_out::FanOut,
        &mqtt::fan_in::FanIn,
        &mqtt::connect::Connect,
        &mqtt::hold::Hold,
        &mqtt::slow_subscriber::SlowSubscriber,
        &mqtt::churn::Churn,
        &mqtt::retained_flood::RetainedFlood,
        &mqtt::reconnect::Reconnect,
        &mqtt::takeover_storm::TakeoverStorm,
        &mqtt::wills::Wills,
        &mqtt::embedded::Embedded,
        &mqtt::fallback::Fallback,
        &mqtt::soak::Soak,
        &numa::touch::Touch,
        &numa::pool::Pool,
        &pool::connections::Connections,
        &pool::buffers::Buffers,
        &rate_limit::ask::Ask,
        &ring::lookup::Lookup,
    ]
}
