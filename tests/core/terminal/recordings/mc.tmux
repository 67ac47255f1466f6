22 2
  Left     File     Command     Options     Right
┌<─ /etc ─────────────────────────.[^]>┐┌<─ /usr ─────────────────────────.[^]>┐
│.n     Name      │ Size  │Modify time ││.n     Name      │ Size  │Modify time │
│/..              │UP--DIR│Nov 21 12:16││/..              │UP--DIR│Nov 21 12:16│
│/.java           │   4096│Jun 24  2025││/aarch64-~nux-gnu│   4096│Nov 21 11:59│
│/PackageKit      │   4096│May  9  2026││/bin             │  36864│Nov 21 11:59│
│/X11             │   4096│May 20  2026││/etc             │   4096│Nov 21 11:31│
│/alternatives    │  20480│Nov 21 11:33││/games           │   4096│May  9  2025│
│/apache2         │   4096│Jun 24  2025││/include         │   4096│Nov 21 11:33│
│/apparmor.d      │   4096│Sep 22 04:45││/lib             │   4096│Nov 21 11:59│
│/apt             │   4096│Jun 24  2025││/lib64           │   4096│May 20  2026│
│/bash_com~etion.d│   4096│May  9  2026││/libexec         │   4096│Nov 21 11:59│
│/binfmt.d        │   4096│May 29  2025││/local           │   4096│Oct 16 23:04│
│/ca-certificates │   4096│Jun 24  2025││/sbin            │  12288│Nov 21 11:59│
│/cni             │   4096│Nov 21 11:33││/share           │   4096│Nov 21 11:33│
│/containers      │   4096│Nov 21 11:33││/src             │   4096│Jun 24  2025│
│/cron.d          │   4096│May 20  2025││                 │       │            │
│/cron.daily      │   4096│Sep 22 04:45││                 │       │            │
├──────────────────────────────────────┤├──────────────────────────────────────┤
│UP--DIR                               ││UP--DIR                               │
└────────────────── 227G / 252G (90%) ─┘└────────────────── 227G / 252G (90%) ─┘
Hint: Tab changes your current panel.
#
 1Help   2Menu   3View   4Edit   5Copy   6RenMov 7Mkdir  8Delete 9PullDn10Quit
