38 2
  Left     File     Command     Options     Right
┌<─ /etc ─────────────────────────────────────────────.[^]>┐┌<─ /usr ─────────────────────────────────────────────.[^]>┐
│.n               Name                │ Size  │Modify time ││.n               Name                │ Size  │Modify time │
│/..                                  │UP--DIR│Nov 21 16:45││/..                                  │UP--DIR│Nov 21 16:45│
│/.java                               │   4096│Jun 24  2025││/aarch64-linux-gnu                   │   4096│Nov 21 11:59│
│/PackageKit                          │   4096│May  9  2026││/bin                                 │  36864│Nov 21 16:44│
│/X11                                 │   4096│May 20  2026││/etc                                 │   4096│Nov 21 11:31│
│/alternatives                        │  20480│Nov 21 11:33││/games                               │   4096│May  9  2025│
│/apache2                             │   4096│Jun 24  2025││/include                             │  12288│Nov 21 16:41│
│/apparmor.d                          │   4096│Sep 22 04:45││/lib                                 │   4096│Nov 21 11:59│
│/apt                                 │   4096│Jun 24  2025││/lib64                               │   4096│May 20  2026│
│/bash_completion.d                   │   4096│May  9  2026││/libexec                             │   4096│Nov 21 11:59│
│/binfmt.d                            │   4096│May 29  2025││/local                               │   4096│Oct 16 23:04│
│/ca-certificates                     │   4096│Jun 24  2025││/sbin                                │  12288│Nov 21 15:00│
│/cni                                 │   4096│Nov 21 11:33││/share                               │   4096│Nov 21 11:33│
│/containers                          │   4096│Nov 21 11:33││/src                                 │   4096│Jun 24  2025│
│/cron.d                              │   4096│May 20  2025││                                     │       │            │
│/cron.daily                          │   4096│Sep 22 04:45││                                     │       │            │
│/cron.weekly                         │   4096│Sep 22 04:45││                                     │       │            │
│/dbus-1                              │   4096│Jun 24  2025││                                     │       │            │
│/dconf                               │   4096│Jun 24  2025││                                     │       │            │
│/debuginfod                          │   4096│Sep 22 04:45││                                     │       │            │
│/default                             │   4096│Nov 21 11:33││                                     │       │            │
│/dhcp                                │   4096│Jun 24  2025││                                     │       │            │
│/docker                              │   4096│Nov 21 11:33││                                     │       │            │
│/dpkg                                │   4096│Jun 24  2025││                                     │       │            │
│/environment.d                       │   4096│Jun 24  2025││                                     │       │            │
│/fonts                               │   4096│Jun 24  2025││                                     │       │            │
│/gdb                                 │   4096│Sep 22 04:45││                                     │       │            │
│/glvnd                               │   4096│May 20  2026││                                     │       │            │
│/groff                               │   4096│Sep 22 04:45││                                     │       │            │
│/gss                                 │   4096│Jun 24  2025││                                     │       │            │
│/gtk-2.0                             │   4096│Jun 24  2025││                                     │       │            │
│/init.d                              │   4096│Nov 21 11:33││                                     │       │            │
├──────────────────────────────────────────────────────────┤├──────────────────────────────────────────────────────────┤
│UP--DIR                                                   ││UP--DIR                                                   │
└────────────────────────────────────── 211G / 252G (83%) ─┘└────────────────────────────────────── 211G / 252G (83%) ─┘
Hint: Tab changes your current panel.
#
 1Help       2Menu       3View       4Edit       5Copy       6RenMov     7Mkdir      8Delete     9PullDn    10Quit
