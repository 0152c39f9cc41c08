//! What every server of a run was asked to do alike, and what could not be asked of one.

use std::collections::BTreeMap;

use crate::catalogue::Subject;
use crate::manifest::Listener;
use crate::server::{Launch, comma_list};

/// The same work for everybody, as far as it goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Alignment {
    /// What it was asked.
    pub(crate) aligned: BTreeMap<String, String>,
    /// What it was not, and what it does instead.
    pub(crate) not_aligned: Vec<String>,
}

/// The alignment of one server.
pub(crate) fn alignment(launch: &Launch<'_>, subject: &Subject<'_>) -> Alignment {
    let workers = launch.placement.server_cpus.len().max(1);
    let mut result = Alignment::default();
    let mut set = |key: &str, value: &str| result.aligned.insert(key.to_owned(), value.to_owned());
    set("workers", &workers.to_string());
    set("cpus", &comma_list(&launch.placement.server_cpus));
    let system = launch.host.sysctls.get("net.ipv4.tcp_congestion_control");
    let system = system.map_or("unknown", String::as_str);
    let wanted = launch.congestion.unwrap_or(system);
    let Some(manifest) = subject.candidate.manifest() else {
        set("congestion", wanted);
        set("tcp_nodelay", "on");
        set("access_log", "off");
        return result;
    };
    if manifest.listener == Listener::Inherit || wanted == system {
        set("congestion", wanted);
    }
    result.aligned.extend(manifest.aligned.clone());
    result.not_aligned.clone_from(&manifest.not_aligned);
    if !manifest.fails.is_empty() {
        let (count, cases) = (manifest.fails.len(), manifest.fails.join(", "));
        let sentence = format!("conformance: it is known to fail {count} cases, {cases}");
        result.not_aligned.push(sentence);
    }
    for (name, instead) in manifest.unaligned(&subject.axes) {
        result.aligned.remove(name);
        result.not_aligned.push(format!("{name}: {instead}"));
    }
    if manifest.listener == Listener::Port && wanted != system {
        result.not_aligned.push(format!(
            "congestion control: it opens its own socket and keeps the system's {system} where the others have {wanted}"
        ));
    }
    result
}
