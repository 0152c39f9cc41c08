//! tokio's files: each call is handed to a thread that may block, and waited for.

use std::io;
use std::path::Path;

use ringside_contract::ImplementationMeta;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

use super::work::NamedLog;
use super::writer::{Disk, Log, sync_folder};

/// `log/tokio_fs`.
pub(crate) struct TokioFs {
    runtime: Runtime,
    file: File,
    /// Where the next write goes by itself.
    at: u64,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "log/tokio_fs",
    about: "tokio::fs on a file that grows: write_all, flush and sync_data, each by a thread of its own.",
    axes: &[],
    ranked: true,
};

impl NamedLog for TokioFs {
    const META: &'static ImplementationMeta = &META;
    type Log = Log<Self>;
}

impl Disk for TokioFs {
    fn create(path: &Path) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let file = runtime.block_on(File::create(path))?;
        sync_folder(path)?;
        Ok(Self {
            runtime,
            file,
            at: 0,
        })
    }

    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (file, at) = (&mut self.file, self.at);
        self.runtime.block_on(async {
            if at != offset {
                file.seek(io::SeekFrom::Start(offset)).await?;
            }
            file.write_all(bytes).await?;
            file.flush().await?;
            file.sync_data().await
        })?;
        self.at = offset + bytes.len() as u64;
        Ok(())
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.runtime.block_on(self.file.set_len(0))
    }
}
