//! A place for small files that several writers share: a directory, or a bucket in S3, Azure or Google Cloud.
//!
//! Everything above needs one promise of it: a file is created only when none is there, and replaced only when it is
//! still the one that was read. Of two writers, exactly one is first, and the other is told.

mod blobs;
#[cfg(feature = "buckets")]
mod bucket;
mod local;
mod place;

#[cfg(feature = "buckets")]
pub use self::bucket::Bucket;
pub use self::{
    blobs::{Blob, BlobError, Blobs, Put, Version},
    local::LocalDirectory,
    place::{PlaceError, StorePlace},
};
pub(super) use self::{
    blobs::{LARGEST, unique, wall_clock},
    local::{keep_out_of_git, open_file},
};

/// Opens a place. What a bucket needs beyond its address (credentials, endpoint, region) is taken from the variables,
/// by the names that the clouds' own tools give them.
pub fn open(
    place: StorePlace,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Box<dyn Blobs>, PlaceError> {
    #[cfg(not(feature = "buckets"))]
    drop(variables);
    Ok(match place {
        StorePlace::Directory(path) => Box::new(LocalDirectory::new(path)),
        #[cfg(feature = "buckets")]
        StorePlace::Bucket(address) => Box::new(Bucket::open(&address, variables)?),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::Version;

    /// The version of a content, in a store that tells contents apart by themselves.
    pub(in crate::journal) fn version(bytes: &[u8]) -> Version {
        Version { tag: Some(format!("{bytes:?}")), generation: None }
    }
}
