22 2
  Left     File     Command     Options     Right
┌<─ / ────────────────────────────.[^]>┐┌<─ / ────────────────────────────.[^]>┐
│.n     Name      │ Size  │Modify time ││.n     Name      │ Size  │Modify time │
│~bin             │      7│May 20  2025││~bin             │      7│May 20  2025│
│/boot            │   4096│May  9  2025││/boot            │   4096│May  9  2025│
│/dev             │   2200│Nov 21 11:31││/dev             │   2200│Nov 21 11:31│
│/etc             │   4096│Nov 21 12:18││/etc             │   4096│Nov 21 12:18│
│/farm            │   4096│Nov 21 11:32││/farm            │   4096│Nov 21 11:32│
│/home            │   4096│Nov 21 12:09││/home            │   4096│Nov 21 12:09│
│~lib             │      7│May 20  2025││~lib             │      7│May 20  2025│
│~lib64           │      9│May 20  2025││~lib64           │      9│May 20  2025│
│/lost+found      │  12288│Jan  1  1970││/lost+found      │  12288│Jan  1  1970│
│/media           │   4096│May 20  2025││/media           │   4096│May 20  2025│
│/mnt             │   4096│Nov 21 11:31││/mnt             │   4096│Nov 21 11:31│
│/nonexistent     │   4096│Nov 21 12:18││/nonexistent     │   4096│Nov 21 12:18│
│/old_root        │   4096│Nov 21 11:31││/old_root        │   4096│Nov 21 11:31│
│/opt             │   4096│Nov 21 11:33││/opt             │   4096│Nov 21 11:33│
│/proc            │      0│Nov 21 12:18││/proc            │      0│Nov 21 12:18│
├──────────────────────────────────────┤├──────────────────────────────────────┤
│-> usr/bin                            ││-> usr/bin                            │
└────────────────── 227G / 252G (90%) ─┘└────────────────── 227G / 252G (90%) ─┘
Hint: Tab changes your current panel.
#
 1Help   2Menu   3View   4Edit   5Copy   6RenMov 7Mkdir  8Delete 9PullDn10Quit
