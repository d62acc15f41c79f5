import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Lists the table's marks, without damaged ones, and changes nothing.
 *
 * KEYS: epoch, marks. Returns write id, backend pid and the milliseconds that the lease still runs, for at most 100.
 */
export const listMarks = defineScript(
  'list-marks',
  `${TABLE_FUNCTIONS}
local list, now = {}, now_ms()
if not epoch_text() then return list end
for id, mark in pairs(all_marks()) do
  if mark and #list < 100 then
    list[#list + 1] = { id, mark.backendPid, tonumber(mark.deadlineMs) - now }
  end
end
return list
`,
);
