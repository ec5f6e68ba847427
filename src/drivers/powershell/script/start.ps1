# certwright's driver: reads one JSON request per line from standard input and answers each with one framed line on
# standard output. Windows PowerShell 5.1. It is sent over standard input by the program that starts it, and is never a
# file. Nothing of a request becomes script text: names are looked up in tables below, values are parameters.
param([System.IO.Stream] $RequestStream)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$VerbosePreference = 'SilentlyContinue'
$DebugPreference = 'SilentlyContinue'
$InformationPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
$WhatIfPreference = $false
[System.Threading.Thread]::CurrentThread.CurrentCulture = [System.Globalization.CultureInfo]::InvariantCulture
# What anything prints is no frame: it goes nowhere.
[Console]::SetOut([System.IO.TextWriter]::Null)
Add-Type -AssemblyName System.Runtime.Serialization

# What is run here, to tell whether it is what was sent.
$OwnText = [string] $MyInvocation.MyCommand.Definition

# The state of this process. A request never changes it but by 'session.open'.
$Session = @{
    Exchange   = $null   # the runspace in which cmdlets of Exchange run
    Kind       = ''      # remote or local
    Answers    = $null   # the host that can answer No; none where such a host could not be made
    Opening    = $null   # how the session was opened, for one that is lost while something has to be put back
    Turn       = $null   # a mutex: who has it changes something on this server
    TurnTime   = 0       # how many seconds it is waited for
    Credential = $null
    Here       = [System.Environment]::MachineName
    Ahead      = $null   # the line after the request in hand, as a task
    Cancelled  = $false  # whether the caller has given up the request in hand
    PutsBack   = $false  # whether something is put back, which nobody gives up
}
# What is said about the request that is being answered.
$Reply = @{
    Warnings   = $null
    WouldDo    = $null
    WhatIf     = $false
    Stage      = 'request'
    Mutated    = 'no'
    Begun      = 0       # how many cmdlets that change something were called
    NotRunning = $null   # why a service that was stopped does not run again
    Windows    = @{}     # the sessions with Windows of other computers, by their full names
    Sent       = $false  # whether something that may change Windows of another computer was sent there
}

# Whether the caller waits no longer for the request in hand, for whoever waits in it: once, since what follows is to come to
# its end. That the caller is gone says nothing: then the request is carried out.
function Test-Cancelled {
    if ($Session.Cancelled -or $Session.PutsBack -or $null -eq $Session.Ahead -or -not $Session.Ahead.IsCompleted) { return $false }
    if ($Session.Ahead.IsFaulted) { return $false }
    $line = [string] $Session.Ahead.Result
    if ($line.Length -gt 100 -or $line -notlike '*"op":"cancel"*') { return $false }
    $Session.Cancelled = $true
    return $true
}

function Assert-NotCancelled {
    if (Test-Cancelled) { throw (New-Condition 'cancelled' 'the time for it is over, and it is given up') }
}

# A condition that the driver itself finds. The kinds are those of the program that reads them.
function New-Condition([string] $Kind, [string] $Message) {
    $condition = New-Object System.InvalidOperationException $Message
    $condition.Data['certwright'] = $Kind
    return $condition
}
