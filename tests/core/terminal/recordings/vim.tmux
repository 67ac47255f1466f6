16 7
 64       on behalf of whom a Contribution has been received by Licensor and
 65       subsequently incorporated within the Work.
 66
 67    2. Grant of Copyright License. Subject to the terms and conditions of
 68       worldwide, non-exclusive, no-charge, royalty-free, irrevocable
 69       this License, each Contributor hereby grants to You a perpetual,
 70       this License, each Contributor hereby grants to You a perpetual,
 71       this License, each Contributor hereby grants to You a perpetual,
 72       this License, each Contributor hereby grants to You a perpetual,
 73       this License, each Contributor hereby grants to You a perpetual,
 74       this License, each Contributor hereby grants to You a perpetual,
/usr/share/common-licenses/Apache-2.0 [+]                     70,7           32%
199    You may obtain a copy of the License at$
200 $
201        http://www.apache.org/licenses/LICENSE-2.0$
202 $
203    Unless required by applicable law or agreed to in writing, software$
204    distributed under the License is distributed on an "AS IS" BASIS,$
205    WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.$
206    See the License for the specific language governing permissions and$
207    limitations under the License.$
208 Added text 漢字$
/usr/share/common-licenses/Apache-2.0 [+]                     203,4          Bot

