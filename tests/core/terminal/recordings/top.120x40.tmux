39 0
top - 16:46:41 up  5:14,  0 user,  load average: 2.51, 3.83, 4.32
Tasks:   1 total,   1 running,   0 sleeping,   0 stopped,   0 zombie
%Cpu0  :  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st
%Cpu1  :  0.0 us,  0.0 sy,  0.0 ni,100.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st
MiB Mem :  4.3/24105.6  [||||                                                                                         ]
MiB Swap:  0.0/0.0      [                                                                                             ]

    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND
      1 root      20   0    9092   5420   3272 R   0.0   0.0   0:00.01 top































