// The links that MLflow's client prints (/#/experiments/3/runs/ID, /#/models/NAME/versions/2) lead to our pages.

async function experimentPage(id) {
  const answer = await fetch(`/ajax-api/2.0/mlflow/experiments/get?experiment_id=${encodeURIComponent(id)}`);
  if (!answer.ok) return "/runs";
  const { name } = (await answer.json()).experiment;
  const [project, ...rest] = name === "Default" ? ["default", "default"] : name.split("/");
  const isOurs = rest.length > 0;
  const query = new URLSearchParams(
    isOurs ? { project, experiment: rest.join("/") } : { project: "default", experiment: name },
  );
  return `/runs?${query}`;
}

export async function followLinks() {
  if (location.pathname !== "/" || !location.hash.startsWith("#/")) return;
  const [kind, name, next, id] = location.hash.slice(2).split(/[?]/)[0].split("/");
  if (kind === "experiments" && next === "runs" && id) location.replace(`/runs/${id}`);
  else if (kind === "experiments" && name) location.replace(await experimentPage(name));
  else if (kind === "models" && name) location.replace(`/models/${name}${next === "versions" && id ? `/versions/${id}` : ""}`);
}
