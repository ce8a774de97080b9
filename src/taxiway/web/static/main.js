// Everything here is a convenience: pages are complete without it.
import { watchCharts } from "./charts.js";
import { watchCopying } from "./copy.js";
import { watchEditors } from "./editor.js";
import { watchKeys } from "./keys.js";
import { followLinks } from "./links.js";
import { watchLive } from "./live.js";
import { watchMenus } from "./menus.js";
import { watchMentions } from "./mentions.js";
import { watchFlows } from "./pieces.js";
import { watchRows } from "./rows.js";

watchMenus();
watchCopying();
const rows = watchRows();
watchKeys(rows);
watchCharts();
watchLive();
watchEditors();
watchMentions();
watchFlows();
followLinks();
