//! Where the driver's words stand: once for all servers, and for single ones.

use crate::manifest::{
    AccountSpec, Authentication, PowerShellSpec, RemotingSpec, SshSpec, Way, WindowsSpec, finding::DocPath,
};

/// The words for all servers, or for one.
pub(super) struct Place<'a> {
    pub(super) path: DocPath,
    /// The ways by `ssh`, to cmdlets and to Windows, with their places.
    pub(super) ssh: Vec<(DocPath, &'a SshSpec)>,
    pub(super) remoting: Option<&'a RemotingSpec>,
    pub(super) account: Option<&'a AccountSpec>,
    /// How the account is proved, where that is by `remoting`.
    pub(super) authentication: Option<Authentication>,
}

fn ways<'a>(
    path: &DocPath,
    ssh: Option<&'a SshSpec>,
    windows: Option<&'a WindowsSpec>,
) -> Vec<(DocPath, &'a SshSpec)> {
    let own = ssh.map(|ssh| (path.key("ssh"), ssh));
    let apart = windows.map(|windows| (path.key("windows").key("ssh"), &windows.ssh));
    own.into_iter().chain(apart).collect()
}

/// Every place.
pub(super) fn places(spec: &PowerShellSpec) -> Vec<Place<'_>> {
    let root = DocPath::of(&["driver", "powershell"]);
    let mut places = vec![Place {
        path: root.clone(),
        ssh: ways(&root, spec.ssh.as_ref(), spec.windows.as_ref()),
        remoting: spec.remoting.as_ref(),
        account: spec.account.as_ref(),
        authentication: spec.remoting.as_ref().map(|remoting| remoting.authentication),
    }];
    for (name, server) in &spec.servers {
        let path = root.key("servers").key(name.as_str());
        let authentication = match spec.way_to(name) {
            Way::Remoting(remoting) => Some(remoting.authentication),
            Way::Here | Way::Ssh(_) => None,
        };
        places.push(Place {
            ssh: ways(&path, server.ssh.as_ref(), server.windows.as_ref()),
            path,
            remoting: server.remoting.as_ref(),
            account: server.account.as_ref(),
            authentication,
        });
    }
    places
}
