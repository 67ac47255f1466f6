23 1
      6    TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION
      7
      8    1. Definitions.
      9
     10       "License" shall mean the terms and conditions for use, reproductio
     10 n,
     11       and distribution as defined by Sections 1 through 9 of this docume
     11 nt.
     12
     13       "Licensor" shall mean the copyright owner or entity authorized by
     14       the copyright owner that is granting the License.
     15
     16       "Legal Entity" shall mean the union of the acting entity and all
     17       other entities that control, are controlled by, or are under commo
     17 n
     18       control with that entity. For the purposes of this definition,
     19       "control" means (i) the power, direct or indirect, to cause the
     20       direction or management of such entity, whether by contract or
     21       otherwise, or (ii) ownership of fifty percent (50%) or more of the
     22       outstanding shares, or (iii) beneficial ownership of such entity.
     23
     24       "You" (or "Your") shall mean an individual or Legal Entity
     25       exercising permissions granted by this License.
:
