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
}

# A condition that the driver itself finds. The kinds are those of the program that reads them.
function New-Condition([string] $Kind, [string] $Message) {
    $condition = New-Object System.InvalidOperationException $Message
    $condition.Data['certwright'] = $Kind
    return $condition
}
