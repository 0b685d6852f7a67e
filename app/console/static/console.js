// Says when the stream of changes is lost, and when it is back.
const told = (lost) => { document.getElementById("offline").hidden = !lost; };
document.addEventListener("htmx:sseError", () => told(true));
document.addEventListener("htmx:sseOpen", () => told(false));
