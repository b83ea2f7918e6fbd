//! Lines of a log that are written together: a system call for each line takes as long as making it.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait for others.
const LONGEST_WAIT: Duration = Duration::from_millis(10);
/// So many bytes are not kept waiting.
const ENOUGH_BYTES: usize = 64 * 1024;

/// Where a log's lines go. Those of requests that went well may wait; all others are written at once, behind those that wait.
#[derive(Clone)]
pub struct Buffered(Arc<Shared>);

/// The end of a log: what waits is written when this is dropped.
pub struct Flush(Option<Buffered>);

struct Shared {
    waiting: Mutex<Waiting>,
    begun: Condvar,
}

struct Waiting {
    lines: Vec<u8>,
    output: Box<dyn Write + Send>,
}

impl Buffered {
    /// With a thread that writes what has waited long enough; the error is that it cannot be started.
    pub fn start(output: Box<dyn Write + Send>) -> io::Result<(Self, Flush)> {
        let waiting = Mutex::new(Waiting { lines: Vec::new(), output });
        let buffered = Self(Arc::new(Shared { waiting, begun: Condvar::new() }));
        let of_thread = buffered.clone();
        thread::Builder::new().name("logs".to_owned()).spawn(move || of_thread.write_for_ever())?;
        Ok((buffered.clone(), Flush(Some(buffered))))
    }

    fn write_for_ever(&self) {
        loop {
            drop(self.0.begun.wait_while(self.lock(), |waiting| waiting.lines.is_empty()));
            thread::sleep(LONGEST_WAIT);
            self.lock().write_out();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// A log that cannot be written has nobody to be told.
    fn write_out(&mut self) {
        let _ = self.output.write_all(&self.lines).and_then(|()| self.output.flush());
        self.lines.clear();
    }
}

impl Flush {
    /// Of a log that keeps nothing waiting.
    pub fn nothing() -> Self {
        Self(None)
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(buffered) = &self.0 {
            buffered.lock().write_out();
        }
    }
}

/// One event's way into the log.
pub struct Line<'a> {
    buffered: &'a Buffered,
    may_wait: bool,
}

impl<'a> MakeWriter<'a> for Buffered {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { buffered: self, may_wait: false }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        Line { buffered: self, may_wait: about.target() == super::ACCESS && *about.level() >= Level::INFO }
    }
}

impl Write for Line<'_> {
    /// A whole line: the formatter gives it at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.buffered.lock();
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        if !self.may_wait || waiting.lines.len() >= ENOUGH_BYTES {
            waiting.write_out();
        } else if is_first {
            self.buffered.0.begun.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Output {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn started() -> (Output, Buffered, Flush) {
        let output = Output::default();
        let (buffered, flush) = Buffered::start(Box::new(output.clone())).unwrap();
        (output, buffered, flush)
    }

    fn write(buffered: &Buffered, may_wait: bool, line: &str) {
        Line { buffered, may_wait }.write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn a_line_that_may_wait_is_written_without_another() {
        let (output, buffered, _flush) = started();
        for line in ["one\n", "two\n"] {
            write(&buffered, true, line);
            let given_up = Instant::now() + Duration::from_secs(20);
            while !output.text().ends_with(line) {
                assert!(Instant::now() < given_up, "{line} is not written");
                thread::sleep(Duration::from_millis(1));
            }
        }
        assert_eq!(output.text(), "one\ntwo\n");
    }

    #[test]
    fn a_line_that_may_not_wait_takes_those_before_it_along_in_order() {
        let (output, buffered, _flush) = started();
        write(&buffered, true, "well\n");
        write(&buffered, false, "broken\n");
        assert_eq!(output.text(), "well\nbroken\n");
    }

    #[test]
    fn only_lines_of_requests_that_went_well_may_wait() {
        let (output, buffered, _flush) = started();
        let subscriber = tracing_subscriber::fmt().with_writer(buffered.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("of the service itself");
            assert!(output.text().ends_with("of the service itself\n"), "{}", output.text());
            tracing::error!(target: super::super::ACCESS, "of a request that failed");
            assert!(output.text().ends_with("of a request that failed\n"), "{}", output.text());
            // Nobody else can write it while it is looked at.
            tracing::info!(target: super::super::ACCESS, "of a request that went well");
            let waiting = buffered.lock();
            let waits = waiting.lines.ends_with(b"of a request that went well\n");
            assert!(waits || output.text().ends_with("of a request that went well\n"));
        });
    }

    #[test]
    fn nothing_that_waits_is_lost_at_the_end_and_much_does_not_wait() {
        let (output, buffered, flush) = started();
        let line = "x".repeat(1_000) + "\n";
        let mut all = String::new();
        for _ in 0..500 {
            write(&buffered, true, &line);
            all.push_str(&line);
            assert!(buffered.lock().lines.len() < ENOUGH_BYTES);
        }
        drop(flush);
        assert_eq!(output.text(), all);
    }
}
