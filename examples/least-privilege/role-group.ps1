# A role group with no more rights than certwright uses (docs/connectivity.md, section 8). Run it once in the Exchange
# Management Shell, as a member of Organization Management. It makes roles from Exchange's own, takes from them every cmdlet that
# is not called, and from those that are called every parameter that is not given.
#
# Nobody has run it on a real Exchange yet. `certwright doctor` tells afterwards what is missing, by cmdlet and parameter.
param([Parameter(Mandatory = $true)][string] $Member)
$ErrorActionPreference = 'Stop'

# What certwright calls, of each role that Exchange has.
$roles = @(
    @{ Name = 'certwright certificates'; Parent = 'Exchange Server Certificates'
        Cmdlets = @{
            'Get-ExchangeCertificate' = @('Server', 'Thumbprint')
            'New-ExchangeCertificate' = @('Server', 'SubjectName', 'DomainName', 'KeySize', 'PrivateKeyExportable', 'FriendlyName', 'Services', 'GenerateRequest', 'Confirm', 'Force')
            'Import-ExchangeCertificate' = @('Server', 'FileData', 'Password', 'FriendlyName', 'PrivateKeyExportable', 'Confirm')
            'Export-ExchangeCertificate' = @('Server', 'Thumbprint', 'BinaryEncoded', 'Password', 'Confirm')
            'Enable-ExchangeCertificate' = @('Server', 'Thumbprint', 'Services', 'DoNotRequireSsl', 'Confirm', 'Force')
            'Remove-ExchangeCertificate' = @('Server', 'Thumbprint', 'Confirm')
        } },
    @{ Name = 'certwright send connectors'; Parent = 'Send Connectors'
        Cmdlets = @{
            'Get-SendConnector' = @('Identity')
            'Set-SendConnector' = @('Identity', 'TlsCertificateName', 'Confirm')
        } },
    @{ Name = 'certwright receive connectors'; Parent = 'Receive Connectors'
        Cmdlets = @{
            'Get-ReceiveConnector' = @('Server', 'Identity')
            'Set-ReceiveConnector' = @('Identity', 'TlsCertificateName', 'Confirm')
        } },
    @{ Name = 'certwright EdgeSync'; Parent = 'Edge Subscriptions'
        Cmdlets = @{
            'Start-EdgeSynchronization' = @('Server', 'Confirm')
        } },
    @{ Name = 'certwright POP and IMAP'; Parent = 'POP3 And IMAP4 Protocols'
        Cmdlets = @{
            'Get-PopSettings' = @('Server')
            'Set-PopSettings' = @('Server', 'X509CertificateName', 'Confirm')
            'Get-ImapSettings' = @('Server')
            'Set-ImapSettings' = @('Server', 'X509CertificateName', 'Confirm')
        } },
    @{ Name = 'certwright OAuth'; Parent = 'Organization Client Access'
        Cmdlets = @{
            'Get-AuthConfig' = @()
            'Set-AuthConfig' = @('NewCertificateThumbprint', 'NewCertificateEffectiveDate', 'PublishCertificate', 'ClearPreviousCertificate', 'Confirm', 'Force')
        } }
)

foreach ($role in $roles) {
    [void] (New-ManagementRole -Name $role.Name -Parent $role.Parent)
    foreach ($entry in @(Get-ManagementRoleEntry "$($role.Name)\*")) {
        if (-not $role.Cmdlets.ContainsKey([string] $entry.Name)) {
            Remove-ManagementRoleEntry "$($role.Name)\$($entry.Name)" -Confirm:$false
        }
    }
    foreach ($cmdlet in $role.Cmdlets.Keys) {
        # -ErrorAction is what every call may have; a version that lacks a parameter keeps it away.
        $has = (Get-ManagementRoleEntry "$($role.Name)\$cmdlet").Parameters
        $keep = @($role.Cmdlets[$cmdlet] | Where-Object { $has -contains $_ }) + 'ErrorAction'
        Set-ManagementRoleEntry "$($role.Name)\$cmdlet" -Parameters $keep
    }
}
# The rest only reads. Instant messaging (Set-SettingOverride), hybrid mail (Set-HybridConfiguration), Unified Messaging and
# draining (Set-ServerComponentState, Redirect-Message, Get-Queue) are added where a manifest asks for them; Get-ManagementRole -Cmdlet NAME tells the role of each.
New-RoleGroup -Name 'certwright' -Members $Member -Roles (@('View-Only Configuration') + @($roles | ForEach-Object { $_.Name }))
