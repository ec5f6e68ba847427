# Runs examples/least-privilege/role-group.ps1 with stand-ins for Exchange's roles, and prints what the roles have left: a line
# for each cmdlet, with its parameters. Each parent role has more cmdlets and more parameters than are wanted.
param([string] $Script, [string] $Wanted)
$ErrorActionPreference = 'Stop'
$Rows = @{}
foreach ($line in ($Wanted -split ';')) {
    $name, $parameters = $line -split '=', 2
    $Rows[$name] = @($parameters -split ',' | Where-Object { $_ })
}
$Kept = @{}
function New-ManagementRole([string] $Name, [string] $Parent) {
    $entries = @{ 'Get-Mailbox' = @('Identity', 'ErrorAction'); 'Remove-Mailbox' = @('Identity') }
    foreach ($cmdlet in $Rows.Keys) { $entries[$cmdlet] = @($Rows[$cmdlet]) + 'ErrorAction' + 'DomainController' + 'WhatIf' }
    $Kept[$Name] = $entries
}
function Get-ManagementRoleEntry([string] $Identity) {
    $role, $cmdlet = $Identity -split '\\', 2
    foreach ($name in @($Kept[$role].Keys)) {
        if ($name -like $cmdlet) { New-Object PSObject -Property @{ Name = $name; Parameters = $Kept[$role][$name] } }
    }
}
function Remove-ManagementRoleEntry {
    [CmdletBinding(SupportsShouldProcess)] param([string] $Identity)
    $role, $cmdlet = $Identity -split '\\', 2
    $Kept[$role].Remove($cmdlet)
}
function Set-ManagementRoleEntry([string] $Identity, [string[]] $Parameters) {
    $role, $cmdlet = $Identity -split '\\', 2
    foreach ($parameter in $Parameters) {
        if ($Kept[$role][$cmdlet] -notcontains $parameter) { throw "$cmdlet has no $parameter" }
    }
    $Kept[$role][$cmdlet] = $Parameters
}
function New-RoleGroup([string] $Name, [string] $Members, [string[]] $Roles) { "group=$Name,$Members,$($Roles -join ',')" }
& ([scriptblock]::Create([System.IO.File]::ReadAllText($Script))) -Member 'CONTOSO\svc'
foreach ($role in $Kept.Keys) {
    foreach ($cmdlet in $Kept[$role].Keys) { "$cmdlet=$($Kept[$role][$cmdlet] -join ',')" }
}
