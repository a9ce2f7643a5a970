//! Arguments of the commands on models.

use clap::Subcommand;

use super::{ModelExportArgs, ModelFetchArgs, ModelMergeArgs};

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Fetch the files of a model, and say where they are and what they hold; what is there already is not fetched again.
    ///
    /// A part of configs/model, a YAML file like those, or a file or folder on this machine:
    ///
    ///   harness model fetch smollm2-135m-instruct
    #[command(verbatim_doc_comment)]
    Fetch(ModelFetchArgs),
    /// Put an adapter into the weights of its base model: a folder in Hugging Face layout that other programs open.
    ///
    /// What is written is read again and compared with base and adapter before it gets its name.
    ///
    ///   harness model merge qwen2.5-coder-0.5b-instruct --adapter adapters/spider --out merged/spider
    #[command(verbatim_doc_comment)]
    Merge(ModelMergeArgs),
    /// Write a model, with an adapter in it or without, as one GGUF file, with vocabulary and chat template.
    ///
    /// What is written is read again and compared before it gets its name.
    ///
    ///   harness model export qwen2.5-coder-0.5b-instruct --adapter adapters/spider --type q8_0 --out spider.gguf
    #[command(verbatim_doc_comment)]
    Export(ModelExportArgs),
}
