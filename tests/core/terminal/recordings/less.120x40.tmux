39 1
      6    TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION
      7
      8    1. Definitions.
      9
     10       "License" shall mean the terms and conditions for use, reproduction,
     11       and distribution as defined by Sections 1 through 9 of this document.
     12
     13       "Licensor" shall mean the copyright owner or entity authorized by
     14       the copyright owner that is granting the License.
     15
     16       "Legal Entity" shall mean the union of the acting entity and all
     17       other entities that control, are controlled by, or are under common
     18       control with that entity. For the purposes of this definition,
     19       "control" means (i) the power, direct or indirect, to cause the
     20       direction or management of such entity, whether by contract or
     21       otherwise, or (ii) ownership of fifty percent (50%) or more of the
     22       outstanding shares, or (iii) beneficial ownership of such entity.
     23
     24       "You" (or "Your") shall mean an individual or Legal Entity
     25       exercising permissions granted by this License.
     26
     27       "Source" form shall mean the preferred form for making modifications,
     28       including but not limited to software source code, documentation
     29       source, and configuration files.
     30
     31       "Object" form shall mean any form resulting from mechanical
     32       transformation or translation of a Source form, including but
     33       not limited to compiled object code, generated documentation,
     34       and conversions to other media types.
     35
     36       "Work" shall mean the work of authorship, whether in Source or
     37       Object form, made available under the License, as indicated by a
     38       copyright notice that is included in or attached to the work
     39       (an example is provided in the Appendix below).
     40
     41       "Derivative Works" shall mean any work, whether in Source or Object
     42       form, that is based on (or derived from) the Work and for which the
     43       editorial revisions, annotations, elaborations, or other modifications
     44       represent, as a whole, an original work of authorship. For the purposes
:
