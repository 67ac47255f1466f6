22 2
  Left     File     Command     Options     Right
┌<─ /usr ─────────────────────────.[^]>┐┌<─ /usr ─────────────────────────.[^]>┐
│.n     Name      │ Size  │Modify time ││.n     Name      │ Size  │Modify time │
│/..              │UP--DIR│Nov 21 16:45││/..              │UP--DIR│Nov 21 16:45│
│/aarch64-~nux-gnu│   4096│Nov 21 11:59││/aarch64-~nux-gnu│   4096│Nov 21 11:59│
│/bin             │  36864│Nov 21 16:44││/bin             │  36864│Nov 21 16:44│
│/etc             │   4096│Nov 21 11:31││/etc             │   4096│Nov 21 11:31│
│/games           │   4096│May  9  2025││/games           │   4096│May  9  2025│
│/include         │  12288│Nov 21 16:41││/include         │  12288│Nov 21 16:41│
│/lib             │   4096│Nov 21 11:59││/lib             │   4096│Nov 21 11:59│
│/lib64           │   4096│May 20  2026││/lib64           │   4096│May 20  2026│
│/libexec         │   4096│Nov 21 11:59││/libexec         │   4096│Nov 21 11:59│
│/local           │   4096│Oct 16 23:04││/local           │   4096│Oct 16 23:04│
│/sbin            │  12288│Nov 21 15:00││/sbin            │  12288│Nov 21 15:00│
│/share           │   4096│Nov 21 11:33││/share           │   4096│Nov 21 11:33│
│/src             │   4096│Jun 24  2025││/src             │   4096│Jun 24  2025│
│                 │       │            ││                 │       │            │
│                 │       │            ││                 │       │            │
├──────────────────────────────────────┤├──────────────────────────────────────┤
│UP--DIR                               ││UP--DIR                               │
└────────────────── 207G / 252G (82%) ─┘└────────────────── 207G / 252G (82%) ─┘
Hint: Tab changes your current panel.
#
 1Help   2Menu   3View   4Edit   5Copy   6RenMov 7Mkdir  8Delete 9PullDn10Quit
