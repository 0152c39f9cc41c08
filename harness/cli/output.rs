//! What reaches the terminal: results on standard output, everything else on standard error.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{ErrorKind, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use ringside_contract::{GateReport, ProfileReport, Verdicts};
use ringside_reports::{Block, printable};
use serde::Serialize;

use crate::args::{Format, Global, When};

/// How to print, decided once from the options and the environment.
#[derive(Debug)]
pub(crate) struct Output {
    /// Form of the results.
    pub(crate) format: Format,
    colour: bool,
    /// Whether a progress bar is drawn.
    pub(crate) progress: bool,
    /// Only results and errors.
    pub(crate) quiet: bool,
    /// Say more.
    pub(crate) verbose: bool,
    /// Why results did not reach standard output.
    lost: RefCell<Option<std::io::Error>>,
}

impl Output {
    /// Reads the options; `auto` looks at the terminal and at NO_COLOR (<https://no-color.org>).
    pub(crate) fn new(global: &Global) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let decide = |when, auto| match when {
            When::Auto => auto,
            When::Always => true,
            When::Never => false,
        };
        Self {
            format: global.format,
            colour: decide(global.color, terminal && !no_colour),
            progress: decide(global.progress, terminal) && !global.quiet,
            quiet: global.quiet,
            verbose: global.verbose,
            lost: RefCell::new(None),
        }
    }

    /// A result as JSON, one line. What JSON leaves as it is and a terminal obeys is escaped.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(value)?;
        // Such characters stand only within strings, which may hold any of them escaped.
        let escape = |(character, shown): (char, char)| {
            if character == shown {
                character.to_string()
            } else {
                format!("\\u{:04x}", u32::from(character))
            }
        };
        let shown = printable(&text);
        self.line(&match &shown {
            Cow::Borrowed(_) => text,
            Cow::Owned(shown) => text.chars().zip(shown.chars()).map(escape).collect(),
        });
        Ok(())
    }

    /// The summary of a run, as Markdown where that is asked for.
    pub(crate) fn summary(&self, verdicts: &Verdicts) {
        if self.format == Format::Md {
            return self.line(ringside_reports::markdown(verdicts).trim_end());
        }
        self.blocks(ringside_reports::summary(verdicts));
    }

    /// The outcome of a gate, in the form that is asked for.
    pub(crate) fn gate(&self, report: &GateReport) -> anyhow::Result<()> {
        match self.format {
            Format::Json => return self.json(report),
            Format::Md => self.line(ringside_reports::gate_markdown(report).trim_end()),
            Format::Human => self.blocks(ringside_reports::gate_table(report)),
        }
        Ok(())
    }

    /// What a profile found, for people.
    pub(crate) fn profile(&self, report: &ProfileReport) {
        self.blocks(ringside_reports::profile_table(report));
    }

    fn blocks(&self, blocks: Vec<Block>) {
        for block in blocks {
            match block {
                Block::Heading { level: 1, text } => self.line(&text),
                Block::Heading { text, .. } => self.line(&format!("\n{text}")),
                Block::Sentences(sentences) => self.line(&sentences.join("\n")),
                Block::Table { columns, rows } => {
                    let heads: Vec<_> = columns.iter().map(|column| column.head).collect();
                    self.line("");
                    self.table(&heads, &rows);
                }
            }
        }
    }

    /// A line of results. A reader that went away (a closed pipe, as behind `head`) has what it wanted;
    /// every other failure is kept for the end.
    pub(crate) fn line(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{}", printable(text)).and_then(|()| stdout.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.lost.borrow_mut().get_or_insert(error);
        }
    }

    /// Why results were lost, if they were.
    pub(crate) fn lost(&self) -> Option<anyhow::Error> {
        let error = self.lost.borrow_mut().take()?;
        Some(anyhow::Error::new(error).context(
            "failed to write the results to standard output; make room there, or send them elsewhere",
        ))
    }

    /// A table: aligned for people, or Markdown.
    pub(crate) fn table(&self, header: &[&str], rows: &[Vec<String>]) {
        let preset = match self.format {
            Format::Md => presets::ASCII_MARKDOWN,
            Format::Human | Format::Json => presets::NOTHING,
        };
        let mut table = Table::new();
        table
            .load_style(preset)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(header);
        table.add_rows(rows);
        self.line(&table.trim_fmt());
    }

    /// A remark on standard error, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", printable(text));
        }
    }

    /// A warning on standard error.
    pub(crate) fn warn(&self, text: &str) {
        let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
        self.labelled("warning", style, text);
    }

    /// An error with its causes, on standard error.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        self.labelled("error", style, &error.to_string());
        for cause in error.chain().skip(1) {
            let _ = writeln!(
                std::io::stderr(),
                "  because: {}",
                printable(&cause.to_string())
            );
        }
    }

    fn labelled(&self, label: &str, style: Style, text: &str) {
        let mut stderr = std::io::stderr();
        let text = printable(text);
        let _ = if self.colour {
            writeln!(stderr, "{style}{label}:{style:#} {text}")
        } else {
            writeln!(stderr, "{label}: {text}")
        };
    }
}
