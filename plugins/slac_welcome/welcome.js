// Airflow's home says what this platform is, and where a visitor begins. Airflow gives plugins its React and its
// components as globals; the address of this file says where the platform's own pages are.
const { createElement: e } = globalThis.React;
const { Box, Flex, Heading, Link, Text } = globalThis.ChakraUI;

const PAGES = new URL(import.meta.url).searchParams.get("pages");
const STEPS = [
  ["collect_videos", "find, fetch and admit the videos of a week"],
  ["score_clips", "cut them into clips, and let the committee score them"],
  ["send_hard_clips", "put the clips worth a person's time into the queue"],
  ["look_for_answers", "wake the next one when people have answered"],
  ["sync_verifications", "turn people's answers into labels"],
  ["check_labels", "judge every category; ask you about a refused one"],
  ["pretrain", "release, train a network, and let it join if it is better"],
];
const BY_HAND = [
  ["add_category", "add a category and collect its past weeks"],
  ["retire_category", "end one; what was made of it stays"],
  ["score_again", "score past windows with another committee"],
  ["inspect_again", "judge old hand-overs by the expectations of today"],
];
const DOORS = [
  ["review", "Answer clips"],
  ["funnel", "See the funnel"],
  ["desk", "Decide about labels"],
];

const dag = ([name, what]) =>
  e("li", { key: name },
    e(Link, { href: new URL(`dags/${name}`, document.baseURI).href, fontWeight: "bold" }, name), ` ${what}`);

const Welcome = () =>
  e(Box, { borderWidth: 1, borderRadius: "md", p: 4, mb: 4 },
    e(Heading, { size: "md" }, "slac: sparse action labels at scale"),
    e(Text, { my: 2 },
      "Videos are collected, networks pick the two-second clips worth a person's time, people answer yes or no, and the ",
      "answers become labels, a release and a better network."),
    PAGES && e(Flex, { gap: 4, my: 3, wrap: "wrap" },
      DOORS.map(([page, says]) => e(Link, { key: page, href: `${PAGES}/${page}`, variant: "underline" }, says))),
    e(Flex, { gap: 8, wrap: "wrap" },
      e(Box, null, e(Text, { color: "fg.muted" }, "By themselves, in this order"),
        e("ol", { style: { listStyle: "decimal", paddingInlineStart: "1.5em" } }, STEPS.map(dag))),
      e(Box, null, e(Text, { color: "fg.muted" }, "By hand, each with a form"),
        e("ul", { style: { listStyle: "disc", paddingInlineStart: "1.5em" } }, BY_HAND.map(dag)))));

globalThis.AirflowPlugin = Welcome;
