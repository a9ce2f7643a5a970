//! The words a specification may use where only certain words make sense.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of data set: which layout of files is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetKind {
    /// The official layout of Spider.
    Spider,
    /// The official layout of BIRD.
    Bird,
    /// The official layout of Gretel's synthetic text-to-SQL.
    Gretel,
    /// The older sets of one database each.
    Classic,
    /// JSON Lines of the user's own.
    Jsonl,
}

impl DatasetKind {
    /// Every kind, in the order of their names in the documentation.
    pub const ALL: [Self; 5] = [
        Self::Spider,
        Self::Bird,
        Self::Gretel,
        Self::Classic,
        Self::Jsonl,
    ];

    /// The word in a specification, which is also the name of its folder below the data root.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spider => "spider",
            Self::Bird => "bird",
            Self::Gretel => "gretel",
            Self::Classic => "classic",
            Self::Jsonl => "jsonl",
        }
    }

    /// The splits that the layout has; empty where any name will do.
    pub fn splits(self) -> &'static [&'static str] {
        match self {
            Self::Spider => &[
                "train",
                "train-others",
                "train-all",
                "dev",
                "test",
                "dk",
                "syn",
                "syn-train",
                "realistic",
            ],
            Self::Bird => &["train", "dev", "mini-dev"],
            Self::Gretel => &["train", "test"],
            Self::Classic | Self::Jsonl => &[],
        }
    }

    /// The metric that the data set's authors rank by.
    pub fn metric(self) -> Metric {
        match self {
            Self::Spider => Metric::SpiderExec,
            Self::Bird | Self::Gretel | Self::Classic | Self::Jsonl => Metric::BirdEx,
        }
    }
}

impl fmt::Display for DatasetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule that says whether a predicted query is right. Metrics of time are none of them: an experiment's results do not
/// depend on how busy the machine was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// BIRD's execution accuracy: equal sets of rows.
    BirdEx,
    /// Spider's execution accuracy: equal bags of rows, in order where the gold query orders them.
    SpiderExec,
    /// Spider's exact set match: equal parts of the query, values aside.
    SpiderExact,
    /// BIRD mini-dev's soft F1: the share of cells that agree, row by row.
    SoftF1,
    /// Equal bags of rows, columns in any order.
    Bag,
    /// The same, in order where the gold query orders its result.
    OrderedIfGoldOrders,
    /// Equal trees of the query, up to what has no meaning.
    StructuralExact,
}

impl Metric {
    /// The word in a specification, which is also the key of its score in a verdict.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BirdEx => "bird_ex",
            Self::SpiderExec => "spider_exec",
            Self::SpiderExact => "spider_exact",
            Self::SoftF1 => "soft_f1",
            Self::Bag => "bag",
            Self::OrderedIfGoldOrders => "ordered_if_gold_orders",
            Self::StructuralExact => "structural_exact",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What to do about leaks between a training set and a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakRule {
    /// Say so in the stage and in the report.
    #[default]
    Report,
    /// Refuse to compare or train.
    Deny,
}

impl LeakRule {
    /// Whether it is what rules where nothing is written.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How a question and its schema are written out for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptFormat {
    /// `CREATE TABLE` statements, then the question as a comment.
    Ddl,
    /// One line a table and a foreign key.
    Compact,
    /// One line a column, with examples of its values.
    MSchema,
}

/// The number format of the weights and the arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floating point.
    F32,
    /// bfloat16 weights.
    Bf16,
}

/// Which weights are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Those of a low-rank adapter beside the frozen ones.
    Lora,
    /// All of them.
    Full,
}

/// Which tokens carry loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Those of the answer: fine-tuning.
    Completion,
    /// Those of prompt and answer alike: pre-training.
    All,
}

/// How the learning rate runs after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Half a cosine down to 0.
    Cosine,
    /// A straight line down to 0.
    Linear,
    /// The same rate to the end.
    Constant,
    /// Warm-up, stable, decay: the same rate, then `1 − √x` down to 0 over the last steps.
    Wsd,
}

/// What is measured on the held-out examples while training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevMeasure {
    /// Mean loss per token of the answers.
    #[default]
    Loss,
    /// Share of answers, generated and executed, that give the gold query's rows; the loss beside it.
    Ex,
}

/// How the frozen weights of the layers are kept while an adapter is trained on them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// As numbers, in the precision of `generate.precision`.
    #[default]
    Plain,
    /// Rounded to four bits (`NormalFloat4`, `QLoRA`): 4.5 bits a weight.
    Nf4,
    /// As the blocks of the model's GGUF file.
    Blocks,
}

/// Which weights are the result of training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Those after the last step.
    #[default]
    Last,
    /// Those that measured best on the held-out examples.
    Best,
}

/// A linear layer of the decoder that can carry an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Queries of the attention.
    QProj,
    /// Keys of the attention.
    KProj,
    /// Values of the attention.
    VProj,
    /// Output of the attention.
    OProj,
    /// Gate of the feed-forward block.
    GateProj,
    /// Upward projection of the feed-forward block.
    UpProj,
    /// Downward projection of the feed-forward block.
    DownProj,
}

impl Projection {
    /// Every layer that can carry an adapter.
    pub const ALL: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
    ];

    /// The checkpoint's name of the layer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
        }
    }
}
