//! A bucket. All that is asynchronous stays in this file: a thread of its own drives the connections, and callers wait.

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path as FilePath,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use object_store::{
    Attribute, Attributes, Error, GetOptions, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutResult, UpdateVersion,
    client::{
        ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
        ReqwestConnector,
    },
    path::Path,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::JoinSet,
};

use super::{
    super::blobs::{Blob, BlobError, Blobs, LARGEST, Put, Version, check_size, unique, wall_clock},
    super::place::PlaceError,
    address::Address,
    cause::{Doing, classify, never_sent},
    cloud,
};
use crate::model::time::Timestamp;

/// A bucket, or a folder in it.
#[derive(Debug)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    place: String,
    /// Begins the mark of each write: no other writer has it.
    writer: String,
    writes: AtomicU64,
    driver: Driver,
}

/// The thread that drives the connections, also while nobody waits for an answer: otherwise one that the server has
/// closed in the meantime would still look open, and the next request would be sent into it.
#[derive(Debug)]
struct Driver {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bucket {
    /// The bucket at this address. Nothing is sent yet.
    pub fn open(
        address: &Address,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, PlaceError> {
        let failed = |error| PlaceError::Settings(address.describe(), error);
        Ok(Self {
            store: cloud::open(address, variables, Dating)?,
            prefix: address.prefix.clone(),
            place: address.describe(),
            writer: unique().map_err(|error| failed(Box::new(error)))?,
            writes: AtomicU64::new(0),
            driver: Driver::start().map_err(|error| failed(Box::new(error)))?,
        })
    }

    fn location(&self, path: &str) -> Path {
        path.split('/').filter(|part| !part.is_empty()).fold(self.prefix.clone(), Path::join)
    }

    fn place_of(&self, path: &str) -> String {
        format!("{}/{path}", self.place)
    }

    /// Writes under a condition, and finds out what came of it when the answer leaves that open.
    ///
    /// An answer can be lost: the file was written, then the connection broke. object_store sends such a request again,
    /// and the store truthfully answers that a file is there. So each write carries a mark, and a refusal is believed
    /// only when the file that is there carries another.
    async fn write(&self, path: &str, bytes: &[u8], condition: Condition) -> Result<Put, Error> {
        let location = self.location(path);
        let mark = format!("{}-{}", self.writer, self.writes.fetch_add(1, Ordering::Relaxed));
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let options = PutOptions {
                mode: condition.clone().into(),
                attributes: Attributes::from_iter([(MARK, mark.clone())]),
                ..PutOptions::default()
            };
            let error = match self.store.put_opts(&location, bytes.to_vec().into(), options).await {
                Ok(result) => return Ok(Put::Done(result.into())),
                Err(error) if never_sent(&error) => return Err(error),
                Err(error) => error,
            };
            let refused = matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. });
            let there = match self.store.get_opts(&location, GetOptions::new().with_head(true)).await {
                Ok(there) => Some(there),
                Err(Error::NotFound { .. }) => None,
                // Whoever was first wrote something; that is known, even if what it is can not be read now.
                Err(_) if refused => return Ok(Put::Taken),
                Err(_) => return Err(error),
            };
            match (&there, &condition) {
                (Some(there), _) if there.attributes.get(&MARK).is_some_and(|have| **have == *mark) => {
                    return Ok(Put::Done(version(there)));
                }
                // S3 answers 409 when another request for the same key was under way, even one that removed it.
                (None, Condition::Absent) if refused && attempts > 0 => {}
                (Some(there), Condition::Still(before)) if version(there).is(before) => {
                    if !refused || attempts == 0 {
                        return Err(error);
                    }
                }
                (None, Condition::Absent) => return Err(error),
                (Some(_), Condition::Absent) | (_, Condition::Still(_)) => return Ok(Put::Taken),
            }
        }
    }

    fn failed(&self, error: &Error, path: &str, doing: Doing) -> BlobError {
        classify(error, self.place_of(path), doing)
    }
}

impl Blobs for Bucket {
    fn read(&self, path: &str) -> Result<Option<Blob>, BlobError> {
        match self.driver.wait(fetch(self.store.clone(), self.location(path))) {
            Ok(blob) => Ok(Some(blob)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(&error, path, Doing::Reading)),
        }
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Put, BlobError> {
        check_size(|| self.place_of(path), bytes)?;
        let put = self.driver.wait(self.write(path, bytes, Condition::Absent));
        put.map_err(|error| self.failed(&error, path, Doing::Writing))
    }

    fn replace(&self, path: &str, bytes: &[u8], version: &Version) -> Result<Put, BlobError> {
        check_size(|| self.place_of(path), bytes)?;
        let put = self.driver.wait(self.write(path, bytes, Condition::Still(version.clone())));
        put.map_err(|error| self.failed(&error, path, Doing::Writing))
    }

    fn remove(&self, path: &str) -> Result<(), BlobError> {
        match self.driver.wait(self.store.delete(&self.location(path))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(&error, path, Doing::Writing)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, BlobError> {
        let location = self.location(folder);
        let list = self.driver.wait(self.store.list_with_delimiter(Some(&location)));
        let list = list.map_err(|error| self.failed(&error, folder, Doing::Reading))?;
        let files = list.objects.iter().filter_map(|file| file.location.filename().map(str::to_owned));
        let folders =
            list.common_prefixes.iter().filter_map(|folder| Some(format!("{}/", folder.filename()?)));
        let mut names: Vec<String> = files.chain(folders).collect();
        names.sort();
        Ok(names)
    }

    fn read_all(&self, paths: &[String]) -> Result<Vec<Blob>, BlobError> {
        let fetched = self.driver.wait(async {
            let mut waiting = paths.iter().enumerate();
            let mut going = JoinSet::new();
            let mut fetched = BTreeMap::new();
            loop {
                for (at, path) in waiting.by_ref().take(AT_ONCE - going.len()) {
                    let (store, location) = (self.store.clone(), self.location(path));
                    going.spawn(async move { (at, fetch(store, location).await) });
                }
                let Some(done) = going.join_next().await else { return Ok(fetched) };
                let (at, blob) = done.expect("reading does not panic and is not cancelled");
                fetched.insert(at, blob.map_err(|error| (at, error))?);
            }
        });
        fetched
            .map(|fetched| fetched.into_values().collect())
            .map_err(|(at, error)| self.failed(&error, &paths[at], Doing::Reading))
    }

    fn describe(&self) -> String {
        self.place.clone()
    }

    fn directory(&self) -> Option<&FilePath> {
        None
    }
}

/// Under which condition a file is written.
#[derive(Clone, Debug)]
enum Condition {
    Absent,
    Still(Version),
}

impl From<Condition> for PutMode {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Absent => Self::Create,
            Condition::Still(Version { tag, generation }) => {
                Self::Update(UpdateVersion { e_tag: tag, version: generation })
            }
        }
    }
}

impl From<PutResult> for Version {
    fn from(result: PutResult) -> Self {
        Self { tag: result.e_tag, generation: result.version }
    }
}

fn version(found: &GetResult) -> Version {
    Version { tag: found.meta.e_tag.clone(), generation: found.meta.version.clone() }
}

async fn fetch(store: Arc<dyn ObjectStore>, location: Path) -> Result<Blob, Error> {
    let found = store.get(&location).await?;
    if found.meta.size > LARGEST {
        let source = format!("it has {} bytes, more than anything that certwright writes", found.meta.size);
        return Err(Error::Generic { store: "certwright", source: source.into() });
    }
    let version = version(&found);
    let written = Timestamp::from_unix(found.meta.last_modified.timestamp());
    let now = found.extensions.get().map_or_else(wall_clock, |Date(date)| *date);
    Ok(Blob { bytes: found.bytes().await?.into(), version, written, now })
}

impl Driver {
    fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let drive = move || {
            // Ends when it is told so and when nobody is left to tell it.
            let _ = runtime.block_on(stopped);
        };
        let thread = std::thread::Builder::new().name("bucket".into()).spawn(drive)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Makes clients that keep the time which the store says it is. A lease is over by the store's clock, so that clocks of
/// machines that differ do no harm (RFC 9110 section 6.6.1: a server that has a clock sends `Date`).
#[derive(Debug)]
struct Dating;

impl HttpConnector for Dating {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient, Error> {
        ReqwestConnector::default().connect(options).map(|client| HttpClient::new(Dated(client)))
    }
}

#[derive(Debug)]
struct Dated(HttpClient);

/// What the store's clock showed when it answered.
#[derive(Clone, Copy, Debug)]
struct Date(Timestamp);

impl HttpService for Dated {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let mut response = self.0.execute(request).await?;
            let date = response.headers().get("date").and_then(|date| date.to_str().ok()).and_then(date);
            if let Some(date) = date {
                response.extensions_mut().insert(date);
            }
            Ok(response)
        })
    }
}

fn date(text: &str) -> Option<Date> {
    let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Date(Timestamp::from_unix(moment.unix_timestamp())))
}

/// Metadata that names the write. Azure takes names that would do for variables of C# only.
const MARK: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("certwrightwrite"));
const ATTEMPTS: usize = 3;
const AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        let Date(moment) = date("Mon, 02 Mar 2026 09:14:07 GMT").unwrap();
        assert_eq!(moment.to_string(), "2026-03-02T09:14:07Z");
        for text in ["", "yesterday", "2026-03-02T09:14:07Z"] {
            assert!(date(text).is_none(), "{text}");
        }
    }
}
