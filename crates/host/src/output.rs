//! Passes what a child writes to the log, line by line.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

/// Longest line that is passed on in one piece: a child that never ends its line costs no more.
const LONGEST: u64 = 8 * 1024;

/// Reads `stream` to its end and logs each line under the name of the plugin.
pub(crate) async fn log_lines(
    plugin: String,
    stream_name: &'static str,
    stream: impl AsyncRead + Unpin,
) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(line.trim_ascii_end());
                tracing::info!(plugin, stream = stream_name, "{text}");
            }
        }
    }
}
