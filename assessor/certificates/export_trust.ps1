# Written by: assessor trust-script
# Run on the SOURCE host (the one whose linked servers are assessed), in Windows PowerShell 5.1 or later.
# It only reads: the certificates that this computer trusts go into one PEM file, which you name as trust_store
# in the estate file. No private key is touched or exported. Administrator rights are not needed.
#
# Root: the roots. CA: the intermediates that Windows builds chains with. Both matter, and SQL Server's service
# account sees the stores of LocalMachine, so the current user's own stores are left out. Group Policy's and the
# AD-published certificates are part of the logical stores read here.

param([string]$OutFile = "$env:COMPUTERNAME-trust.pem")

$ErrorActionPreference = 'Stop'
$seen = @{}
$lines = New-Object System.Collections.Generic.List[string]

# A certificate in Disallowed is never trusted, whatever Root says.
$disallowed = @{}
Get-ChildItem Cert:\LocalMachine\Disallowed -ErrorAction SilentlyContinue |
    Where-Object { $_ -is [System.Security.Cryptography.X509Certificates.X509Certificate2] } |
    ForEach-Object { $disallowed[$_.Thumbprint] = $true }

foreach ($store in 'Root', 'CA') {
    foreach ($certificate in Get-ChildItem "Cert:\LocalMachine\$store") {
        if ($certificate -isnot [System.Security.Cryptography.X509Certificates.X509Certificate2]) { continue }
        if ($seen.ContainsKey($certificate.Thumbprint) -or $disallowed.ContainsKey($certificate.Thumbprint)) { continue }
        $seen[$certificate.Thumbprint] = $true
        $lines.Add("# $store  $($certificate.Thumbprint)  until $($certificate.NotAfter.ToString('yyyy-MM-dd'))")
        $lines.Add('-----BEGIN CERTIFICATE-----')
        $lines.Add([Convert]::ToBase64String($certificate.RawData, 'InsertLineBreaks'))
        $lines.Add('-----END CERTIFICATE-----')
    }
}

[System.IO.File]::WriteAllLines((Join-Path (Get-Location) $OutFile), $lines)
Write-Host "$($seen.Count) certificates of $env:COMPUTERNAME written to $OutFile"

# The registry flags of OLE DB Driver 18 and 19 on this host decide whether TrustServerCertificate counts.
foreach ($sni in 'SNI18.0', 'SNI19.0') {
    foreach ($flag in 'Flag1', 'Flag2') {
        $key = "HKLM:\SOFTWARE\Microsoft\MSSQLServer\Client\$sni\GeneralFlags\$flag"
        $value = (Get-ItemProperty -Path $key -Name Value -ErrorAction SilentlyContinue).Value
        if ($null -eq $value) { $value = 'not set' }
        Write-Host "$sni $flag = $value"
    }
}
