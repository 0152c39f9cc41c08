//! Pure functions whose instructions are counted when two builds are compared.

/// One function with an input of its own, which is the same in every process.
///
/// Two builds are compared by the name alone: a function that is to do something else, or with another input,
/// gets another name, so that it counts as new.
#[derive(Debug, Clone, Copy)]
pub struct CountedFunction {
    /// Family and name, such as `http/request_head`.
    pub name: &'static str,
    /// Makes the input, which is not counted, and gives the work on it.
    pub prepare: fn() -> Box<dyn FnMut()>,
}

impl CountedFunction {
    /// The family that it belongs to.
    pub fn family(&self) -> &'static str {
        self.name.split_once('/').map_or("", |(family, _)| family)
    }
}
