//! What a query may ask the engine for: the authorizer's rule, and whether the answer is the same every time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::repeatable::reads_the_clock;

/// Functions a reading query has no business with: they load code or touch files. Some of them exist only in SQLite's
/// shell, but a build may have them.
const FORBIDDEN_FUNCTIONS: [&str; 5] = [
    "load_extension",
    "readfile",
    "writefile",
    "edit",
    "fts3_tokenizer",
];

/// Pragmas that may be read as tables (`SELECT * FROM pragma_table_info('t')`): they tell of the schema and change
/// nothing. The PRAGMA statement itself is no query.
const HARMLESS_PRAGMAS: [&str; 12] = [
    "collation_list",
    "compile_options",
    "database_list",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "module_list",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Functions that give something else each time.
pub const RANDOM_FUNCTIONS: [&str; 2] = ["random", "randomblob"];
/// Functions that give the time without being asked for it by an argument.
pub const CLOCK_FUNCTIONS: [&str; 3] = ["current_date", "current_time", "current_timestamp"];
/// Functions that give the time if their arguments say so.
pub const DATE_FUNCTIONS: [&str; 7] = [
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
];

/// What a statement has been seen to ask for. The authorizer writes it while the statement is prepared and run.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    denied: AtomicBool,
    chance: AtomicBool,
    dates: AtomicBool,
    clock: AtomicBool,
    in_view: AtomicBool,
    prepared: AtomicBool,
    trouble: AtomicBool,
}

impl Seen {
    /// Whether something was denied.
    pub fn denied(&self) -> bool {
        self.0.denied.load(Ordering::Relaxed)
    }

    /// Says that the statement is prepared: what is asked for from now on is asked for by its tables.
    pub fn prepared(&self) {
        self.0.prepared.store(true, Ordering::Relaxed);
    }

    /// Says that the system failed the engine, which it may not do the next time.
    pub fn trouble(&self) {
        self.0.trouble.store(true, Ordering::Relaxed);
    }

    /// Whether the statement, run again, gives what it gave: it calls nothing random and does not read the clock.
    pub fn repeatable(&self, sql: &str) -> bool {
        let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        // Reading a column whose default is the present time asks for the clock too, and gets no time from it.
        let asks_for_clock = || sql.to_ascii_lowercase().contains("current_");
        !(is(&self.0.trouble)
            || is(&self.0.chance)
            || is(&self.0.in_view)
            || is(&self.0.clock) && asks_for_clock()
            || is(&self.0.dates) && reads_the_clock(sql, &DATE_FUNCTIONS))
    }

    /// Decides on one request of a statement.
    pub fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        if self.allowed(context) {
            return Authorization::Allow;
        }
        self.0.denied.store(true, Ordering::Relaxed);
        Authorization::Deny
    }

    fn allowed(&self, context: &AuthContext<'_>) -> bool {
        let among =
            |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        match context.action {
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
            AuthAction::Function { function_name } => {
                let (chance, clock, dates) = (
                    among(&RANDOM_FUNCTIONS, function_name),
                    among(&CLOCK_FUNCTIONS, function_name),
                    among(&DATE_FUNCTIONS, function_name),
                );
                for (asked, flag) in [
                    (chance, &self.0.chance),
                    (clock, &self.0.clock),
                    (dates, &self.0.dates),
                    // What a view hands to such a function can't be seen from here.
                    (
                        (clock || dates) && context.accessor.is_some(),
                        &self.0.in_view,
                    ),
                ] {
                    if asked {
                        flag.store(true, Ordering::Relaxed);
                    }
                }
                !among(&FORBIDDEN_FUNCTIONS, function_name)
            }
            // A statement that is prepared as a pragma is one; a table that is a pragma prepares it later.
            AuthAction::Pragma { pragma_name, .. } => {
                self.0.prepared.load(Ordering::Relaxed) && among(&HARMLESS_PRAGMAS, pragma_name)
            }
            _ => false,
        }
    }
}
