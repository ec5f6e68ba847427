# In a 32-bit shell the cmdlets of Exchange fail or are missing.
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This PowerShell is a 32-bit process, in which Exchange fails. Run it in the Exchange Management Shell.'
}

$profile_folder = $HOME
if ($env:USERPROFILE) { $profile_folder = $env:USERPROFILE }
$folder = Join-Path $profile_folder ('certwright-capture-' + (Get-Date -Format 'yyyyMMdd-HHmmss'))
$null = New-Item -ItemType Directory -Path $folder -ErrorAction Stop
$answers = @()

# Writes what $Read returns into a file of this name, or the reason why it failed, and leaves the objects in $answer.
# The cmdlets of the Exchange Management Shell are functions of a module. Those obey the global preference, not that of
# a script, so it is set for as long as they run and put back.
function Save-Objects([string] $File, [scriptblock] $Read) {
    $script:answer = @()
    $preference = $global:ErrorActionPreference
    $state = 'failed'
    $reason = ''
    try {
        $global:ErrorActionPreference = 'Stop'
        $script:answer = @(& $Read | Where-Object { $null -ne $_ })
        Export-Clixml -InputObject $script:answer -Depth 3 -Encoding UTF8 -LiteralPath (Join-Path $folder "$File.xml")
        $state = 'done'
    }
    catch {
        $script:answer = @()
        $reason = [string]$_.Exception.Message
        Set-Content -Value $reason -Encoding UTF8 -LiteralPath (Join-Path $folder "$File.failed.txt")
    }
    finally {
        $global:ErrorActionPreference = $preference
    }
    $count = $script:answer.Count
    $script:answers += New-Object PSObject -Property @{ File = $File; State = $state; Count = $count; Reason = $reason }
    if ($state -eq 'done') { Write-Host "  ${File}: $count" } else { Write-Host "  ${File}: FAILED, $reason" }
}

