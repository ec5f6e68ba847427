//! The address of a bucket.

use object_store::{ObjectStoreScheme, path::Path};
use url::Url;

/// The address of a bucket, which holds no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub(super) url: Url,
    pub(in crate::journal::store) cloud: Cloud,
    pub(in crate::journal::store) prefix: Path,
}

/// Whose bucket it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::journal::store) enum Cloud {
    S3,
    Azure,
    Google,
}

/// Why an address is none of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::journal::store) enum NoAddress {
    /// Not one of a cloud that is known.
    Unknown,
    /// It carries something that may be a secret.
    Credentials,
}

impl Address {
    /// Reads an address. Queries and passwords are refused before.
    pub(in crate::journal::store) fn of(url: Url) -> Result<Self, NoAddress> {
        let (found, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| NoAddress::Unknown)?;
        let cloud = match found {
            ObjectStoreScheme::AmazonS3 => Cloud::S3,
            ObjectStoreScheme::MicrosoftAzure => Cloud::Azure,
            ObjectStoreScheme::GoogleCloudStorage => Cloud::Google,
            _ => return Err(NoAddress::Unknown),
        };
        // `abfss://container@account.dfs.core.windows.net/` has the container where others have a user.
        if !url.username().is_empty() && cloud != Cloud::Azure {
            return Err(NoAddress::Credentials);
        }
        Ok(Self { url, cloud, prefix })
    }

    /// The address as people write it, without a slash at its end.
    pub(in crate::journal::store) fn describe(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }
}
