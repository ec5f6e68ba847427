//! A bucket in S3, Azure or Google Cloud: in builds with the feature `buckets`, which are all that are published.

mod address;
mod cause;
mod cloud;
mod remote;

#[cfg(test)]
pub(super) use self::address::Cloud;
pub(super) use self::address::{Address, NoAddress};
pub use self::remote::Bucket;
