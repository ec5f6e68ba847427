//! The name of a place: a directory, or the address of a bucket.

use std::path::{Component, PathBuf};

use url::Url;

#[cfg(feature = "buckets")]
use super::bucket::{Address, NoAddress};
use crate::{model::shown::ShowPath, ports::BoxError};

/// A place as it is written: `/srv/certwright`, `s3://bucket/prefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// A directory of this machine.
    Directory(PathBuf),
    /// A bucket, or a folder in it.
    #[cfg(feature = "buckets")]
    Bucket(Address),
}

/// Why a place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Not an address.
    #[error(
        "`{0}` is not a place for runs; write a directory, or s3://BUCKET/FOLDER, az://CONTAINER/FOLDER, gs://BUCKET/FOLDER"
    )]
    Unknown(String),
    /// The root of a disk.
    #[error("`{0}` is the root of a disk; name a directory below it")]
    Root(String),
    /// It carries something that may be a secret. It is not shown.
    #[error(
        "the {0}: address carries a password or a query; credentials come from the environment (AWS_…, AZURE_…, GOOGLE_…), never from an address"
    )]
    Credentials(String),
    /// This certwright was built for directories only.
    #[error(
        "this build has no support for buckets, so {0}://… cannot hold its runs; write a directory, or build certwright with the feature `buckets`"
    )]
    NoBuckets(String),
    /// The environment does not give what the bucket needs.
    #[error("{0} cannot be opened; its credentials and endpoint come from the environment")]
    Settings(String, #[source] BoxError),
}

/// A directory that is not the root of a disk: what lies there is everybody's.
fn below_a_root(directory: PathBuf) -> Result<StorePlace, PlaceError> {
    let is_root = directory.has_root()
        && !directory.components().any(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    if is_root {
        Err(PlaceError::Root(directory.shown().to_string()))
    } else {
        Ok(StorePlace::Directory(directory))
    }
}

impl StorePlace {
    /// Reads a place. What has no `://` in it is a directory.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if text.is_empty() {
            return Err(PlaceError::Unknown(String::new()));
        }
        if !text.contains("://") {
            return below_a_root(PathBuf::from(text));
        }
        let scheme = text.split("://").next().unwrap_or_default().to_owned();
        // Even an address that cannot be read may hold a key, so only its scheme is shown.
        let Ok(url) = Url::parse(text) else { return Err(PlaceError::Unknown(format!("{scheme}://…"))) };
        if url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(PlaceError::Credentials(scheme));
        }
        if url.scheme() == "file" {
            let unknown = |()| PlaceError::Unknown(format!("{scheme}://…"));
            return url.to_file_path().map_err(unknown).and_then(below_a_root);
        }
        Self::in_a_bucket(url, scheme)
    }

    #[cfg(feature = "buckets")]
    fn in_a_bucket(url: Url, scheme: String) -> Result<Self, PlaceError> {
        Address::of(url).map(Self::Bucket).map_err(|error| match error {
            NoAddress::Unknown => PlaceError::Unknown(format!("{scheme}://…")),
            NoAddress::Credentials => PlaceError::Credentials(scheme),
        })
    }

    #[cfg(not(feature = "buckets"))]
    fn in_a_bucket(_: Url, scheme: String) -> Result<Self, PlaceError> {
        Err(PlaceError::NoBuckets(scheme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "buckets")]
    fn places_may_be_addresses_of_buckets() {
        use super::super::bucket::Cloud;
        for (text, cloud, prefix) in [
            ("s3://runs", Cloud::S3, ""),
            ("s3://runs/contoso", Cloud::S3, "contoso"),
            ("s3://runs/contoso/exchange/", Cloud::S3, "contoso/exchange"),
            ("s3a://runs/contoso", Cloud::S3, "contoso"),
            ("https://s3.eu-west-1.amazonaws.com/runs/contoso", Cloud::S3, "contoso"),
            ("az://runs/contoso", Cloud::Azure, "contoso"),
            ("azure://runs/contoso", Cloud::Azure, "contoso"),
            ("abfss://runs@account.dfs.core.windows.net/contoso", Cloud::Azure, "contoso"),
            ("https://account.blob.core.windows.net/runs/contoso", Cloud::Azure, "contoso"),
            ("gs://runs/contoso%20ltd", Cloud::Google, "contoso ltd"),
        ] {
            let StorePlace::Bucket(address) = StorePlace::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!((address.cloud, address.prefix.as_ref()), (cloud, prefix), "{text}");
            assert_eq!(address.describe(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn places_may_be_directories() {
        for (text, path) in [
            (".certwright", ".certwright"),
            ("/srv/runs", "/srv/runs"),
            (r"C:\runs", r"C:\runs"),
            // On Windows a path from the root has a drive.
            if cfg!(windows) {
                ("file:///C:/our%20runs", r"C:\our runs")
            } else {
                ("file:///srv/our%20runs", "/srv/our runs")
            },
        ] {
            assert_eq!(StorePlace::parse(text).unwrap(), StorePlace::Directory(path.into()), "{text}");
        }
    }

    #[test]
    #[cfg(not(feature = "buckets"))]
    fn without_buckets_their_addresses_are_refused_with_the_way_out() {
        let error = StorePlace::parse("s3://runs/contoso").unwrap_err().to_string();
        assert_eq!(
            error,
            "this build has no support for buckets, so s3://… cannot hold its runs; write a directory, or build certwright \
             with the feature `buckets`"
        );
    }

    #[test]
    #[cfg(feature = "buckets")]
    fn addresses_of_no_bucket_are_refused() {
        for text in [
            "ftp://host/runs",
            "memory:///",
            "http://host/runs",
            "s3://",
            "s3:///runs",
            "file://host/runs",
            "://",
        ] {
            assert!(matches!(StorePlace::parse(text), Err(PlaceError::Unknown(_))), "{text}");
        }
    }

    #[test]
    fn addresses_with_credentials_are_refused_and_not_shown() {
        for text in [
            "s3://AKIDEXAMPLE:hunter2@runs/contoso",
            "s3://hunter2@runs/contoso",
            "az://runs/contoso?sv=2024-11-04&sig=hunter2",
            "gs://runs/contoso#hunter2",
            "s3://runs:hunter2/contoso",
        ] {
            let error = StorePlace::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
