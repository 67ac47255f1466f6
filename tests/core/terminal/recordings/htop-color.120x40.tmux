30 24
htop 3.2.2 - (C) 2004-2019 Hisham Muhammad. (C) 2020-2023 htop dev team.
Released under the GNU GPLv2+. See 'man' page for more info.

CPU usage bar: [low/normal/kernel/guest                  used%]
Memory bar:    [used/buffers/shared/cache                     used/total]
Swap bar:      [used/cache                                    used/total]

Type and layout of header meters are configurable in the setup screen.

Process state: R: running; S: sleeping; t: traced/stopped; Z: zombie; D: disk sleep

       #: hide/show header meters          S-Tab: switch to previous screen tab
     Tab: switch to next screen tab        Space: tag process
  Arrows: scroll process list                  c: tag process and its children
  Digits: incremental PID search               U: untag all processes
    F3 /: incremental name search           F9 k: kill process/tagged processes
    F4 \: incremental name filtering        F7 ]: higher priority (root only)
    F5 t: tree view                         F8 [: lower priority (+ nice)
       p: toggle program path                  a: set CPU affinity
       m: toggle merged command                e: show process environment
       Z: pause/resume process updates         i: set IO priority
       u: show processes of a single user      l: list open files with lsof
       H: hide/show user process threads       x: list file locks of process
       K: hide/show kernel threads             s: trace syscalls with strace
       F: cursor follows process               w: wrap process command in multiple lines
   + - *: expand/collapse tree/toggle all F2 C S: setup
 N P M T: sort by PID, CPU%, MEM% or TIME F1 h ?: show this help screen
       I: invert sort order                F10 q: quit
  F6 > .: select sort column

Press any key to return.









