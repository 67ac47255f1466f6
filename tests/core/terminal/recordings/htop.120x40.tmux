38 17

    0[******                                          9.6%] Tasks: 1, 0 thr, 0 kthr; 2 running
    1[##**************************@                  52.3%] Load average: 3.38 4.13 4.43
  Mem[||#*@@@@@@@@@@@@@@                        718M/23.5G] Uptime: 05:14:18
  Swp[                                               0K/0K]

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
                 [x]    Highlight out-dated/removed programs (red) / libraries (yellow)
                 [ ]    Shadow distribution path prefixes
                 [ ]    Merge exe, comm and cmdline in Command
                 [x]    - Try to find comm in cmdline (when Command is merged)
                 [x]    - Try to strip exe from cmdline (when Command is merged)
                 [x]    Highlight large numbers in memory counters
                 [x]    Leave a margin around header
                 [ ]    Detailed CPU time (System/IO-Wait/Hard-IRQ/Soft-IRQ/Steal/Guest)
                 [ ]    Count CPUs from 1 instead of 0
                 [ ]    Update process names on every refresh
                 [ ]    Add guest time in CPU meter percentage
                 [x]    Also show CPU percentage numerically
                 [ ]    Also show CPU frequency
                 [ ]    Also show CPU temperature (requires libsensors)
                 [ ]    - Show temperature in degree Fahrenheit instead of Celsius
                 [x]    Enable the mouse
                 [10.0] Update interval (in seconds)
F1      F2      F3      F4      F5      F6      F7      F8      F9      F10Done
