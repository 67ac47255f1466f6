22 17

    0[#*                          4.1%] Tasks: 1, 0 thr, 0 kthr; 2 running
    1[######***                  25.8%] Load average: 0.22 0.18 0.18
  Mem[|#*@                  224M/23.5G] Uptime: 00:46:16
  Swp[                           0K/0K]

  [Setup]
Categories       Display options
Display options  For current screen tab: Main
Header layout    [x]    Tree view
Meters           [ ]    - Tree view is always sorted by PID (htop 2 behavior)
Screens          [ ]    - Tree view is collapsed by default
Colors           Global options:
                 [x]    Show tabs for screens
                 [ ]    Shadow other users' processes
                 [x]    Hide kernel threads
                 [ ]    Hide userland process threads
                 [ ]    Hide processes running in containers
                 [x]    Display threads in a different color
                 [ ]    Show custom thread names
                 [x]    Show program path
                 [ ]    Highlight program "basename"
                 [x]    Highlight out-dated/removed programs (red) / libraries (
F1      F2      F3      F4      F5      F6      F7      F8      F9      F10Done
