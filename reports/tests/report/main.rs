//! Tests of the report: its bytes (`page`) and what a browser makes of them (`browser`), from the same
//! documents (`fixtures`).

#[cfg(test)]
mod browser;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod formulas;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod page;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod published;
mod threads;
