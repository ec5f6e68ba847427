//! Writers that race for one store: as threads, and as processes, which are this test binary run again.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests touch the disk, and each test file uses a part of this"
)]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use certwright::{
    journal::{
        Lease, LockOptions, Store,
        store::{Blob, Put},
    },
    model::entry::Holder,
};

/// The test that does nothing unless it is asked to be a writer. Each test file that starts writers has it:
/// `#[test] fn as_another_process() { writers::play() }`.
const STAGE: &str = "as_another_process";
const ROLE: &str = "CERTWRIGHT_TEST_ROLE";

/// What another process shall do.
#[derive(Clone, Debug)]
pub struct Part {
    pub role: &'static str,
    pub place: String,
    pub variables: Vec<(String, String)>,
    /// Who it is.
    pub name: String,
    pub rounds: u32,
    /// The time between rounds, so that both begin each at once.
    pub beat: Duration,
    /// A directory for what is not in the store.
    pub aside: String,
}

/// Another process at work. It is ended with the test.
pub struct Player {
    pub child: Child,
    input: Option<ChildStdin>,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Part {
    pub fn store(&self) -> Store {
        Store::open_with(&self.place, self.variables.clone()).unwrap()
    }

    pub fn start(&self) -> Player {
        let variables = serde_json::to_string(&self.variables).unwrap();
        let beat = self.beat.as_millis().to_string();
        let part =
            [self.role, &self.place, &variables, &self.name, &self.rounds.to_string(), &beat, &self.aside];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", STAGE, "--nocapture", "--test-threads=1"])
            .env(ROLE, part.join("\u{1f}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Player { input: child.stdin.take(), child, lines }
    }

    fn of_this_process() -> Option<Self> {
        let text = std::env::var(ROLE).ok()?;
        let words: Vec<&str> = text.split('\u{1f}').collect();
        let [role, place, variables, name, rounds, beat, aside] = words[..] else { panic!("{text}") };
        Some(Self {
            role: ROLES.iter().find(|(known, _)| *known == role).unwrap().0,
            place: place.into(),
            variables: serde_json::from_str(variables).unwrap(),
            name: name.into(),
            rounds: rounds.parse().unwrap(),
            beat: Duration::from_millis(beat.parse().unwrap()),
            aside: aside.into(),
        })
    }
}

impl Player {
    /// Waits until it says this word, and returns what it says after it.
    pub fn hears(&mut self, word: &str) -> String {
        for line in self.lines.by_ref() {
            // The test runner writes before our words, on the same line.
            let line = line.unwrap();
            if let Some(at) = line.find(&format!("## {word}")) {
                return line[at + 3 + word.len()..].trim().to_owned();
            }
        }
        panic!("it ended without saying {word}: {:?}", self.child.wait());
    }

    /// Lets it go on.
    pub fn tell(&mut self) {
        writeln!(self.input.as_mut().unwrap()).unwrap();
    }

    pub fn ends_well(mut self) {
        drop(self.input.take());
        for line in self.lines.by_ref() {
            line.unwrap();
        }
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays the part that this process was given, if it was given one.
pub fn play() {
    let Some(part) = Part::of_this_process() else { return };
    let (_, role) = ROLES.iter().find(|(name, _)| *name == part.role).unwrap();
    role(&part);
}

/// The size of files that take a moment to write.
pub const LARGE: usize = 1 << 20;

/// What a role does.
type Role = fn(&Part);

const ROLES: &[(&str, Role)] = &[
    ("create", |part| {
        listen("ready");
        let won: Vec<String> = create(part, start_of(part)).iter().map(u32::to_string).collect();
        say(&format!("won {}", won.join(",")));
    }),
    ("replace", |part| {
        listen("ready");
        replace(part);
        say("done");
    }),
    ("lock", |part| {
        listen("ready");
        lock(part);
        say("done");
    }),
    ("flood", |part| {
        say("writing");
        let (store, bytes) = (part.store(), vec![b'x'; LARGE]);
        for number in 0.. {
            let _ = store.blobs().create(&format!("flood/{number}"), &bytes).unwrap();
        }
    }),
    ("hold", |part| {
        let lease = Lease { length: Duration::from_secs(2), renewal: Duration::from_millis(200) };
        let options = LockOptions { lease, ..LockOptions::default() };
        let lock = part.store().lock(&holder(&part.name), now(), &options).unwrap();
        listen("held");
        say(&format!("checked {:?}", lock.still_held().map_err(|error| error.to_string())));
    }),
];

fn say(words: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "## {words}").unwrap();
    out.flush().unwrap();
}

fn listen(word: &str) {
    say(word);
    std::io::stdin().lines().next();
}

/// All begin their rounds at the same moment: the next full second.
fn start_of(_: &Part) -> Duration {
    Duration::from_secs(since_epoch().as_secs() + 1)
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Creates one file each round, with its name in it. Returns the rounds that it won.
pub fn create(part: &Part, start: Duration) -> BTreeSet<u32> {
    let store = part.store();
    let mut won = BTreeSet::new();
    for round in 0..part.rounds {
        while since_epoch() < start + part.beat * round {
            std::hint::spin_loop();
        }
        let put = store.blobs().create(&format!("race/{round}"), part.name.as_bytes()).unwrap();
        if let Put::Done(_) = put {
            won.insert(round);
        }
    }
    won
}

/// Counts up in a file that others count up too.
pub fn replace(part: &Part) {
    let store = part.store();
    for _ in 0..part.rounds {
        loop {
            let Blob { bytes, version, .. } = store.blobs().read("counter").unwrap().unwrap();
            let next = count(&bytes) + 1;
            if let Put::Done(_) =
                store.blobs().replace("counter", next.to_string().as_bytes(), &version).unwrap()
            {
                break;
            }
        }
    }
}

pub fn count(bytes: &[u8]) -> u32 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

/// Counts up, under the lock, in a file that has no protection of its own.
pub fn lock(part: &Part) {
    let store = part.store();
    let counter = Path::new(&part.aside).join("counter");
    let inside = Path::new(&part.aside).join("inside");
    let options = LockOptions { timeout: Duration::from_secs(300), ..LockOptions::default() };
    for _ in 0..part.rounds {
        let lock = store.lock(&holder(&part.name), now(), &options).unwrap();
        assert!(fs::File::create_new(&inside).is_ok(), "two have the lock");
        let next = count(&fs::read(&counter).unwrap()) + 1;
        fs::write(&counter, next.to_string()).unwrap();
        fs::remove_file(&inside).unwrap();
        lock.release().unwrap();
    }
}

/// A holder of this name on one and the same machine.
pub fn holder(name: &str) -> Holder {
    Holder { user: name.into(), host: "mgmt01".into(), process: std::process::id() }
}

pub fn now() -> certwright::model::time::Timestamp {
    let seconds = since_epoch().as_secs();
    certwright::model::time::Timestamp::from_unix(i64::try_from(seconds).unwrap())
}

/// Two processes create the same files: each file is of exactly one of them.
pub fn race_to_create(part: &Part) {
    let parts = ["anna", "boris"].map(|name| Part { role: "create", name: name.into(), ..part.clone() });
    let mut players = parts.each_ref().map(Part::start);
    for player in &mut players {
        player.hears("ready");
    }
    players.iter_mut().for_each(Player::tell);
    let won = players.each_mut().map(|player| {
        let rounds = player.hears("won");
        rounds.split(',').filter(|round| !round.is_empty()).map(|round| round.parse().unwrap()).collect()
    });
    judge_creators(part, &won);
    players.into_iter().for_each(Player::ends_well);
}

pub fn judge_creators(part: &Part, won: &[BTreeSet<u32>; 2]) {
    let both: Vec<_> = won[0].intersection(&won[1]).collect();
    assert!(both.is_empty(), "both won {both:?}");
    assert_eq!(won[0].len() + won[1].len(), part.rounds as usize, "somebody won each");
    let store = part.store();
    for round in 0..part.rounds {
        let winner = if won[0].contains(&round) { "anna" } else { "boris" };
        let blob = store.blobs().read(&format!("race/{round}")).unwrap().unwrap();
        assert_eq!(blob.bytes, winner.as_bytes(), "{round}");
    }
}

/// Two processes count up by read and conditional replace: no count is lost.
pub fn race_to_replace(part: &Part) {
    let _ = part.store().blobs().create("counter", b"0").unwrap();
    run_both(part, "replace");
    let blob = part.store().blobs().read("counter").unwrap().unwrap();
    assert_eq!(count(&blob.bytes), 2 * part.rounds);
}

/// Two processes count up under the lock: no count is lost, and never two are inside.
pub fn race_to_lock(part: &Part) {
    fs::write(Path::new(&part.aside).join("counter"), "0").unwrap();
    run_both(part, "lock");
    let counter = fs::read(Path::new(&part.aside).join("counter")).unwrap();
    assert_eq!(count(&counter), 2 * part.rounds);
}

fn run_both(part: &Part, role: &'static str) {
    let parts = ["anna", "boris"].map(|name| Part { role, name: name.into(), ..part.clone() });
    let mut players = parts.each_ref().map(Part::start);
    for player in &mut players {
        player.hears("ready");
    }
    players.iter_mut().for_each(Player::tell);
    for player in &mut players {
        player.hears("done");
    }
    players.into_iter().for_each(Player::ends_well);
}
