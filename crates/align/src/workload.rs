//! A set of queries with all that is known of them, and their templates.

use harness_record::Query;

use crate::query_set::QuerySet;

/// The queries of a training set, of a target, or of a model's predictions.
///
/// [`QuerySet`] is what the scores on templates need; what compares questions, counts by database or chooses examples
/// needs the queries themselves. Query i of the one is query i of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    name: String,
    queries: Vec<Query>,
    templates: QuerySet,
}

impl Workload {
    /// Reads the template of each query; `name` is what reports call the whole.
    pub fn new(name: impl Into<String>, queries: Vec<Query>) -> Self {
        let templates = QuerySet::of(&queries, |query| &query.sql);
        Self {
            name: name.into(),
            queries,
            templates,
        }
    }

    /// A workload of which only the templates are known: [`Self::queries`] is empty. It is enough for scores on templates,
    /// and small where there are millions of queries.
    pub fn of_templates(name: impl Into<String>, templates: QuerySet) -> Self {
        Self {
            name: name.into(),
            queries: Vec::new(),
            templates,
        }
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The queries, in their order; none where only the templates are known.
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// Their templates.
    pub fn templates(&self) -> &QuerySet {
        &self.templates
    }

    /// Number of queries, those without a template included.
    pub fn len(&self) -> usize {
        self.templates.n_queries()
    }

    /// Whether there is no query.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The queries at `places`, in that order and as often as each is named. Their templates are not read again.
    #[must_use]
    pub fn subset(&self, name: impl Into<String>, places: &[usize]) -> Self {
        Self {
            name: name.into(),
            queries: (places.iter().filter_map(|&i| self.queries.get(i)).cloned()).collect(),
            templates: self.templates.subset(places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Workload;
    use crate::query_set::QuerySet;
    use harness_record::Query;

    #[test]
    fn a_subset_is_what_its_queries_are() {
        let sql = [
            "SELECT a FROM t",
            "no",
            "VALUES (1)",
            "SELECT 'a",
            "SELECT b FROM u",
        ];
        let query = |(number, sql): (usize, &&str)| Query {
            id: number.to_string(),
            sql: (*sql).to_owned(),
            question: None,
            db_id: None,
        };
        let all = Workload::new("all", sql.iter().enumerate().map(query).collect());
        for places in [vec![], vec![1, 3], vec![4, 0, 4, 1]] {
            let part = all.subset("part", &places);
            assert_eq!(
                part.templates(),
                &QuerySet::new(places.iter().map(|&i| sql[i]))
            );
            assert_eq!((part.name(), part.len()), ("part", places.len()));
        }
    }
}
