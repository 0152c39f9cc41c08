//! What `RINGSIDE_PLANT` says.

use std::env;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

/// The variable's name.
pub const VARIABLE: &str = "RINGSIDE_PLANT";

/// What was planted into this process.
static PLANTED: OnceLock<Plant> = OnceLock::new();

/// A slowdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plant {
    /// What is done.
    pub kind: Kind,
    /// How often it is done for 1,000,000 operations.
    pub units: u64,
}

/// What is done more than need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    None,
    /// A step of a chain of multiplications.
    Processor,
    /// A system call that writes one byte to nowhere.
    Io,
    /// A wait for a lock until the thread that has it gives it up.
    Lock,
}

/// Why `RINGSIDE_PLANT` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{VARIABLE}={value}: expected KIND:UNITS, where KIND is none, processor, io or lock, and UNITS has {DIGITS_MIN} to \
     {DIGITS_MAX} digits and is at most {UNITS_MAX}, such as processor:00001500000"
)]
pub struct PlantError {
    value: String,
}

/// Reads the variable; without it nothing is planted. Called once, before there are other threads.
///
/// # Errors
/// Its value is none that is known.
pub fn start() -> Result<(), PlantError> {
    if let Some(value) = env::var_os(VARIABLE) {
        let plant = value.to_string_lossy().parse()?;
        // A second call finds the same environment.
        PLANTED.get_or_init(|| plant);
    }
    Ok(())
}

/// What [`start`] found.
#[inline]
pub(super) fn planted() -> Plant {
    PLANTED.get().copied().unwrap_or(Plant {
        kind: Kind::None,
        units: 0,
    })
}

impl Kind {
    const ALL: [Self; 4] = [Self::None, Self::Processor, Self::Io, Self::Lock];

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Processor => "processor",
            Self::Io => "io",
            Self::Lock => "lock",
        }
    }
}

impl FromStr for Plant {
    type Err = PlantError;

    fn from_str(value: &str) -> Result<Self, PlantError> {
        let read = || {
            let (name, digits) = value.split_once(':')?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
            let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
            let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len());
            let units = digits.parse().ok().filter(|_| whole && fits)?;
            (units <= UNITS_MAX).then_some(Self { kind, units })
        };
        read().ok_or_else(|| PlantError {
            value: value.to_owned(),
        })
    }
}

/// As long as any other: what stands in the environment moves the stack, and that alone can change a
/// server's speed.
impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind.name();
        let digits = LENGTH - name.len() - 1;
        write!(f, "{name}:{:0digits$}", self.units)
    }
}

/// The longest kind has eleven digits.
const DIGITS_MIN: usize = 11;
/// The shortest kind has as many as make it as long as the longest.
const DIGITS_MAX: usize = 18;
/// As many as eleven digits say.
const UNITS_MAX: u64 = 99_999_999_999;
/// The length of each value that is written here.
const LENGTH: usize = "processor:".len() + DIGITS_MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_has_one_length() {
        for kind in Kind::ALL {
            for units in [0, 1, 1500, UNITS_MAX] {
                let plant = Plant { kind, units };
                let text = plant.to_string();
                assert_eq!(text.parse(), Ok(plant), "{text}");
                assert_eq!(text.len(), LENGTH, "{text}");
            }
        }
        let short = "none:00000000000".parse::<Plant>().unwrap();
        assert_eq!((short.kind, short.units), (Kind::None, 0));
    }

    #[test]
    fn another_form_is_refused_with_the_right_one() {
        for value in [
            "",
            "lock",
            "lock:",
            "lock:5",
            "lock:+0000000005",
            "lock:-0000000005",
            "lock:0000000000x",
            "lock:000100000000000",
            "lock:0000000000000000005",
            "disk:00000000005",
            "lock:00000000005:",
        ] {
            let error = value.parse::<Plant>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("={value}:")) && error.contains("KIND:UNITS"),
                "{error}"
            );
        }
    }
}
