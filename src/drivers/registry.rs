//! The drivers there are: from a manifest's words to the one that it names.

use std::path::Path;

use super::{
    capture::Capture,
    handle::DriverHandle,
    lab::Lab,
    opening::{OpenError, Opening},
    powershell,
};
use crate::{
    manifest::{CaptureSpec, DriverSpec, Manifest},
    model::time::Timestamp,
};

/// Opens the driver that a manifest names. A new driver is a word of the manifest and an arm here.
pub fn open<E: From<OpenError> + std::error::Error>(opening: &Opening<'_, E>) -> Result<DriverHandle, E> {
    let Opening { manifest, base, now, as_of, examines: _, secret: _ } = *opening;
    match &manifest.driver {
        DriverSpec::Capture(spec) => Ok(capture(spec, base, now, as_of)?),
        DriverSpec::PowerShell(_) if as_of.is_some() => Err(OpenError::PresentTime.into()),
        DriverSpec::PowerShell(spec) => {
            Ok(DriverHandle::Acts(Box::new(powershell::open::open(spec, opening)?)))
        }
        DriverSpec::Lab(_) if as_of.is_some() => Err(OpenError::OwnClock.into()),
        DriverSpec::Lab(_) => Ok(DriverHandle::Acts(lab(manifest, base, now)?.into_driver())),
    }
}

/// Opens a capture, to be judged as of a moment or now.
pub fn capture(
    spec: &CaptureSpec,
    base: &Path,
    now: Timestamp,
    as_of: Option<Timestamp>,
) -> Result<DriverHandle, OpenError> {
    let capture = Capture::open(spec, base, as_of.unwrap_or(now))?.made_at_least(as_of);
    Ok(DriverHandle::Looks(Box::new(capture)))
}

/// Opens the lab that a manifest names.
pub fn lab(manifest: &Manifest, base: &Path, now: Timestamp) -> Result<Lab, OpenError> {
    match &manifest.driver {
        DriverSpec::Lab(spec) => Ok(Lab::open(&base.join(&spec.directory), now)?),
        DriverSpec::Capture(_) | DriverSpec::PowerShell(_) => Err(OpenError::NoLab),
    }
}
